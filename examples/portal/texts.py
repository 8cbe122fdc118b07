"""The portal's texts, Vietnamese and English."""

TEXTS: dict[str, tuple[str, str]] = {
    "portal": ("Cổng tuyển sinh đầu cấp", "School enrolment portal"),
    "agency": ("Sở Giáo dục và Đào tạo Hà Nội", "Hà Nội Department of Education and Training"),
    "note": (
        "Cổng minh họa. Mọi người và mọi hồ sơ đều là giả lập.",
        "Demonstration portal. Every person and every record is synthetic.",
    ),
    "skip": ("Chuyển đến nội dung chính", "Skip to the content"),
    "footer": (
        "Cổng này chỉ nhận dữ liệu mà bạn đồng ý chia sẻ và chỉ dùng để xét tuyển sinh.",
        "This portal gets only the data that you agree to share, and uses them only for enrolment.",
    ),
    "start_title": ("Đăng ký cho con vào lớp 1", "Register your child for first grade"),
    "start_lead": (
        "Nộp đơn trực tuyến, không cần bản sao giấy tờ. Nhà trường kiểm tra thông tin trên cơ sở dữ liệu quốc gia "
        "khi bạn đồng ý.",
        "File online, without copies of papers. The school checks the particulars in the national database if you "
        "agree.",
    ),
    "way_sign_in": ("Đăng nhập bằng tài khoản định danh điện tử", "Sign in with your e-ID account"),
    "way_agree": ("Chọn dữ liệu bạn đồng ý chia sẻ", "Choose the data that you agree to share"),
    "way_file": ("Kiểm tra đơn đã điền sẵn và nộp", "Check the filled-in application and file it"),
    "need": ("Bạn cần có", "You need"),
    "need_account": (
        "Tài khoản định danh điện tử mức độ 02 và ứng dụng tạo mã xác thực",
        "An e-ID account of level 2 and your authenticator app",
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
        "Thông tin dưới đây được điền từ dữ liệu bạn đồng ý chia sẻ. Hãy kiểm tra rồi nộp đơn.",
        "This is filled in from the data that you agreed to share. Check it, then file.",
    ),
    "parent": ("Cha hoặc mẹ", "Parent"),
    "full_name": ("Họ và tên", "Full name"),
    "birth_date": ("Ngày sinh", "Date of birth"),
    "address": ("Nơi thường trú", "Permanent residence"),
    "phone": ("Điện thoại", "Phone"),
    "email": ("Thư điện tử", "Email"),
    "child": ("Chọn trẻ đăng ký nhập học", "Choose the child to enrol"),
    "born": ("Sinh ngày", "Born on"),
    "number": ("Số định danh", "Number"),
    "not_given": ("Bạn không chia sẻ mục này", "You did not share this"),
    "papers": ("Giấy tờ không phải nộp", "Papers you do not have to bring"),
    "papers_needed": ("Giấy tờ cần mang theo", "Papers to bring along"),
    "paper_known": ("Đã xác nhận từ cơ sở dữ liệu quốc gia", "Confirmed from the national database"),
    "paper_needed": (
        "Bạn không chia sẻ thông tin này. Hãy mang bản sao khi đến trường.",
        "You did not share this. Please bring a copy to the school.",
    ),
    "file": ("Nộp đơn", "File the application"),
    "choose_child": ("Hãy chọn trẻ đăng ký nhập học.", "Choose the child to enrol."),
    "mend": ("Vui lòng kiểm tra lại", "There is a problem"),
    "error_prefix": ("Lỗi:", "Error:"),
    "filed_title": ("Đã tiếp nhận đơn", "Application received"),
    "filed_lead": ("Mã hồ sơ của bạn", "Your dossier number"),
    "next": ("Tiếp theo", "What happens next"),
    "filed_next": (
        "Nhà trường thông báo kết quả qua điện thoại hoặc thư điện tử bạn đã chia sẻ. Hãy lưu lại mã hồ sơ.",
        "The school tells you the result by the phone or email that you shared. Keep the dossier number.",
    ),
    "filed_control": (
        "Bạn có thể xem nhà trường đã xem dữ liệu nào và rút lại sự đồng ý trong",
        "See which data the school looked at, and withdraw your consent, in",
    ),
    "account": ("tài khoản định danh điện tử của bạn", "your e-ID account"),
    "refused_title": ("Bạn không chia sẻ dữ liệu", "You did not share data"),
    "refused_lead": (
        "Không có dữ liệu nào được chuyển đến cổng này.",
        "No data were passed to this portal.",
    ),
    "refused_ways": ("Bạn vẫn có thể", "You can still"),
    "refused_paper": (
        "Nộp hồ sơ giấy tại trường: bản sao giấy khai sinh của trẻ và giấy xác nhận cư trú.",
        "Hand in papers at the school: copies of the child's birth certificate and of the residence confirmation.",
    ),
    "refused_again": (
        "Đăng nhập lại và chỉ chọn những dữ liệu bạn muốn chia sẻ.",
        "Sign in again and tick only what you want to share.",
    ),
    "failed_title": ("Đăng nhập chưa thành công", "Signing in did not work"),
    "failed_lead": (
        "Bạn chưa đăng nhập và không có dữ liệu nào được chia sẻ. Vui lòng bắt đầu lại.",
        "You are not signed in and nothing was shared. Please start again.",
    ),
    "failed_level": (
        "Tài khoản của bạn chưa đạt mức độ 02, hoặc chưa có ứng dụng xác thực. Nộp đơn trực tuyến cần cả hai. "
        "Không có dữ liệu nào được chia sẻ.",
        "Your account has not reached level 2, or has no authenticator app. Filing online needs both. "
        "Nothing was shared.",
    ),
    "failed_paper": (
        "Nếu không đăng nhập được, bạn có thể nộp hồ sơ giấy tại trường.",
        "If you cannot sign in, you may hand in papers at the school.",
    ),
    "failed_code": ("Mã lỗi:", "Error code:"),
    "signed_out_title": ("Bạn đã đăng xuất", "You are signed out"),
    "signed_out_lead": (
        "Bạn đã đăng xuất khỏi cổng này và tài khoản định danh điện tử. Nếu dùng máy chung, hãy đóng trình duyệt.",
        "You are signed out of this portal and of your e-ID account. On a shared computer, close the browser.",
    ),
    "again": ("Về trang đầu", "To the first page"),
    "other": ("English", "Tiếng Việt"),
}


def text_of(lang: str, code: str) -> str:
    """The text in "vi" or "en". Raises KeyError for an unknown code."""
    vietnamese, english = TEXTS[code]
    return english if lang == "en" else vietnamese
