"""What the sandbox is furnished with: agencies, purposes, policies, appointments. Data, no code that runs.

Agency codes have the form of Decision 20/2020/QĐ-TTg; names are real kinds of bodies, everything else is made up.
"""

from dataclasses import dataclass

from consent.api import PurposeTexts

LAW_CONSENT = (
    "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15, Điều 9",
    "Law on Personal Data Protection 91/2025/QH15, art. 9",
)
LAW_DUTY = (
    "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15, Điều 19 khoản 1 điểm c; Luật Căn cước 26/2023/QH15, Điều 10",
    "Law on Personal Data Protection 91/2025/QH15, art. 19.1(c); Law on Identification 26/2023/QH15, art. 10",
)


@dataclass(frozen=True, slots=True)
class AgencyPlan:
    """An agency and its units (code, name in Vietnamese, name in English)."""

    code: str
    name_vi: str
    name_en: str
    units: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PurposePlan:
    """A purpose with its texts."""

    code: str
    vi: PurposeTexts
    en: PurposeTexts
    legal_bases: frozenset[str]


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """What an agency may get for a purpose."""

    agency: str
    purpose: str
    fields: frozenset[str]
    mandatory: frozenset[str]
    legal_bases: frozenset[str]
    min_aal: int
    min_ial: int
    max_answer: str = "fields"
    needs_dossier: bool = True
    needs_procedure: bool = True
    procedures: frozenset[str] = frozenset()
    keep_days: int = 365
    consent_days: int = 365


@dataclass(frozen=True, slots=True)
class AppointmentPlan:
    """Which persona is an official where."""

    persona: str
    agency: str
    unit: str
    title: str
    areas: frozenset[str]
    permissions: frozenset[str]


EDUCATION, DESK, INSURANCE, DESK_NGHE_AN = "H26.17", "H26.01", "G24.08", "H40.01"

AGENCIES = (
    AgencyPlan(
        EDUCATION,
        "Sở Giáo dục và Đào tạo Hà Nội",
        "Hà Nội Department of Education and Training",
        (("H26.17.01", "Phòng Công nghệ thông tin", "Information technology office"),),
    ),
    AgencyPlan(
        DESK,
        "Trung tâm Phục vụ hành chính công Hà Nội",
        "Hà Nội Public Administration Service Centre",
        (("H26.01.01", "Bộ phận Một cửa số 1", "One-stop desk 1"),),
    ),
    AgencyPlan(INSURANCE, "Bảo hiểm xã hội Việt Nam", "Viet Nam Social Security"),
    AgencyPlan(
        DESK_NGHE_AN,
        "Trung tâm Phục vụ hành chính công Nghệ An",
        "Nghệ An Public Administration Service Centre",
        (("H40.01.01", "Bộ phận Một cửa số 1", "One-stop desk 1"),),
    ),
)

PURPOSES = (
    PurposePlan(
        "sign-in",
        PurposeTexts(
            "Đăng nhập dịch vụ công",
            "Nhận biết bạn khi đăng nhập và điền sẵn các mục bạn cho phép.",
            "Bạn vẫn đăng nhập được; bạn tự điền những mục không chia sẻ.",
            LAW_CONSENT[0],
        ),
        PurposeTexts(
            "Signing in to public services",
            "To recognise you when you sign in and to fill in the entries you allow.",
            "You can still sign in; you fill in what you do not share yourself.",
            LAW_CONSENT[1],
        ),
        frozenset({"consent"}),
    ),
    PurposePlan(
        "school-enrolment",
        PurposeTexts(
            "Đăng ký nhập học lớp 1",
            "Kiểm tra trẻ là con của bạn và nơi thường trú thuộc tuyến tuyển sinh của trường.",
            "Bạn nộp bản sao giấy khai sinh và giấy xác nhận cư trú tại trường.",
            LAW_CONSENT[0],
        ),
        PurposeTexts(
            "Enrolment in first grade",
            "To check that the child is yours and that your residence lies in the school's catchment area.",
            "You hand in copies of the birth certificate and the residence confirmation at the school.",
            LAW_CONSENT[1],
        ),
        frozenset({"consent"}),
    ),
    PurposePlan(
        "benefit-check",
        PurposeTexts(
            "Rà soát người hưởng chế độ bảo hiểm xã hội",
            "Kiểm tra người hưởng còn sống và thông tin nhân thân khớp với hồ sơ chi trả.",
            "Việc kiểm tra dựa trên nhiệm vụ theo luật, không dựa trên sự đồng ý.",
            LAW_DUTY[0],
        ),
        PurposeTexts(
            "Review of social insurance benefits",
            "To check that the beneficiary is alive and that the particulars match the payment file.",
            "The check rests on a statutory duty, not on consent.",
            LAW_DUTY[1],
        ),
        frozenset({"statutory-duty"}),
    ),
    PurposePlan(
        "desk-check",
        PurposeTexts(
            "Tiếp nhận hồ sơ tại Bộ phận Một cửa",
            "Xác nhận thông tin cư trú và nhân thân thay cho giấy tờ mà công dân phải nộp.",
            "Việc kiểm tra dựa trên nhiệm vụ theo luật; bạn có thể nộp giấy tờ thay thế.",
            LAW_DUTY[0],
        ),
        PurposeTexts(
            "Receiving dossiers at the one-stop desk",
            "To confirm residence and particulars in place of papers that the citizen would hand in.",
            "The check rests on a statutory duty; you may hand in papers instead.",
            LAW_DUTY[1],
        ),
        frozenset({"statutory-duty"}),
    ),
)

_DESK_FIELDS = frozenset(
    {
        "full_name",
        "birth_date",
        "sex",
        "life_status",
        "marital_status",
        "permanent_residence",
        "temporary_residence",
        "current_residence",
        "household_head",
        "household_members",
        "relation_to_head",
    }
)
_DESK_PROCEDURES = frozenset({"1.004194", "1.004222", "2.000635"})

POLICIES = (
    PolicyPlan(
        EDUCATION,
        "sign-in",
        fields=frozenset(
            {"full_name", "birth_date", "sex", "phone", "email", "permanent_residence", "card", "self_declared"}
        ),
        mandatory=frozenset(),
        legal_bases=frozenset({"consent"}),
        min_aal=1,
        min_ial=1,
        needs_dossier=False,
        needs_procedure=False,
        keep_days=30,
    ),
    PolicyPlan(
        EDUCATION,
        "school-enrolment",
        fields=frozenset({"full_name", "birth_date", "children", "permanent_residence"}),
        mandatory=frozenset({"children", "permanent_residence"}),
        legal_bases=frozenset({"consent"}),
        min_aal=2,
        min_ial=2,
        procedures=frozenset({"3.000181"}),
        keep_days=365,
        consent_days=180,
    ),
    PolicyPlan(
        INSURANCE,
        "benefit-check",
        fields=frozenset({"full_name", "birth_date", "sex", "life_status", "death_date", "permanent_residence"}),
        mandatory=frozenset(),
        legal_bases=frozenset({"statutory-duty"}),
        min_aal=1,
        min_ial=1,
        procedures=frozenset({"1.001667"}),
        keep_days=30,
    ),
    PolicyPlan(
        DESK,
        "desk-check",
        fields=_DESK_FIELDS,
        mandatory=frozenset(),
        legal_bases=frozenset({"statutory-duty"}),
        min_aal=2,
        min_ial=2,
        procedures=_DESK_PROCEDURES,
        keep_days=30,
    ),
    PolicyPlan(
        DESK_NGHE_AN,
        "desk-check",
        fields=_DESK_FIELDS,
        mandatory=frozenset(),
        legal_bases=frozenset({"statutory-duty"}),
        min_aal=2,
        min_ial=2,
        procedures=_DESK_PROCEDURES,
        keep_days=30,
    ),
)

APPOINTMENTS = (
    AppointmentPlan(
        "Minh",
        DESK,
        "H26.01.01",
        "Cán bộ tiếp nhận",
        frozenset({"01"}),
        frozenset({"check.match", "check.fields"}),
    ),
    # Two, since nobody approves his own proposal.
    AppointmentPlan(
        "Giang",
        EDUCATION,
        "H26.17.01",
        "Quản trị ứng dụng",
        frozenset({"01"}),
        frozenset({"clients"}),
    ),
    AppointmentPlan(
        "Van",
        EDUCATION,
        "H26.17.01",
        "Trưởng phòng Công nghệ thông tin",
        frozenset({"01"}),
        frozenset({"clients"}),
    ),
    AppointmentPlan(
        "Nga",
        DESK_NGHE_AN,
        "H40.01.01",
        "Cán bộ tiếp nhận",
        frozenset({"40"}),
        frozenset({"check.match"}),
    ),
)

LOCKED_PERSONAS = ("Son",)

SELF_DECLARED = {
    "An": {
        "nickname": "An",
        "preferred_username": "an.nguyen",
        "profile": "https://example.vn/an",
        "picture": "https://example.vn/an.jpg",
        "website": "https://an.example.vn/",
        "zoneinfo": "Asia/Ho_Chi_Minh",
        "locale": "vi-VN",
    },
    "Binh": {"nickname": "Bình", "locale": "vi-VN"},
}
"""Persona → what he says of himself. An says everything, so that every standard claim can be seen filled."""
