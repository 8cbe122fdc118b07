"""The portal's texts, Vietnamese and English."""

TEXTS: dict[str, tuple[str, str]] = {
    "portal": ("Cổng tuyển sinh đầu cấp", "School enrolment portal"),
    "note": (
        "Cổng minh họa. Mọi người và mọi hồ sơ đều là giả lập.",
        "Demonstration portal. Every person and every record is synthetic.",
    ),
    "start_title": ("Đăng ký cho con vào lớp 1", "Register your child for first grade"),
    "start_lead": (
        "Đăng nhập một lần, đồng ý cho nhà trường kiểm tra dữ liệu, và nộp đơn. Không cần bản sao giấy tờ.",
        "Sign in once, agree that the school may check your data, and file. No copies of papers needed.",
    ),
    "need": ("Bạn cần", "You need"),
    "need_account": (
        "Tài khoản định danh điện tử mức độ 2 và mã OTP",
        "An electronic identity account of level 2 and your one-time code",
    ),
    "need_minutes": ("Khoảng ba phút", "About three minutes"),
    "sign_in": ("Đăng nhập bằng tài khoản định danh điện tử", "Sign in with e-ID"),
    "paper_way": (
        "Không muốn đăng nhập? Bạn có thể nộp hồ sơ giấy tại trường.",
        "Rather not sign in? You may hand in papers at the school.",
    ),
    "sign_out": ("Đăng xuất", "Sign out"),
    "apply_title": ("Đơn đăng ký nhập học", "Enrolment application"),
    "apply_lead": (
        "Chúng tôi đã điền những gì bạn cho phép xem. Hãy kiểm tra rồi nộp đơn.",
        "We filled in what you allowed us to see. Check it, then file.",
    ),
    "parent": ("Cha hoặc mẹ", "Parent"),
    "full_name": ("Họ và tên", "Full name"),
    "birth_date": ("Ngày sinh", "Date of birth"),
    "address": ("Nơi thường trú", "Permanent residence"),
    "phone": ("Điện thoại", "Phone"),
    "email": ("Thư điện tử", "Email"),
    "child": ("Trẻ đăng ký nhập học", "Child to enrol"),
    "not_given": ("Bạn không chia sẻ mục này", "You did not share this"),
    "papers": ("Giấy tờ không phải nộp", "Papers you do not have to bring"),
    "paper_known": ("Đã xác nhận từ cơ sở dữ liệu quốc gia", "Confirmed from the national database"),
    "paper_needed": ("Bạn không chia sẻ, hãy mang theo khi đến trường", "Not shared: please bring it to the school"),
    "file": ("Nộp đơn", "File the application"),
    "choose_child": ("Hãy chọn trẻ đăng ký nhập học.", "Choose the child to enrol."),
    "mend": ("Có mục cần sửa", "There is something to mend"),
    "filed_title": ("Đã nhận đơn", "Application received"),
    "filed_lead": ("Mã hồ sơ của bạn là", "Your dossier number is"),
    "filed_next": (
        "Bạn có thể xem nhà trường đã xem dữ liệu nào, và rút lại sự đồng ý, trong tài khoản định danh điện tử.",
        "In your e-ID account you see which data the school looked at, and you can withdraw your consent.",
    ),
    "refused_title": ("Bạn đã từ chối", "You refused"),
    "refused_lead": (
        "Không có dữ liệu nào được chia sẻ. Bạn vẫn có thể nộp hồ sơ giấy tại trường, hoặc thử lại.",
        "Nothing was shared. You may still hand in papers at the school, or try again.",
    ),
    "failed_title": ("Đăng nhập chưa thành công", "Signing in did not work"),
    "failed_lead": ("Vui lòng bắt đầu lại. Mã lỗi:", "Please start again. Error code:"),
    "signed_out_title": ("Bạn đã đăng xuất", "You are signed out"),
    "again": ("Về trang đầu", "To the first page"),
    "other": ("English", "Tiếng Việt"),
}


def text_of(lang: str, code: str) -> str:
    """The text in "vi" or "en". Raises KeyError for an unknown code."""
    vietnamese, english = TEXTS[code]
    return english if lang == "en" else vietnamese
