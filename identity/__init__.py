"""Who a person is online: accounts, levels, authenticators, sign-in, sessions, step-up; officials' appointments.

Owns the account of a living person of the registry (tài khoản định danh điện tử, level 1 or 2), the check of
password and one-time code, the browser session and the history of sign-ins, and agencies with their units
and the appointments of officials.

Never: keeps a number, a name or a date of a person (the registry does; the account knows the internal
identifier), decides what data leaves (consent does), speaks OpenID Connect (oidc does), tells an asker who
has not shown the right password whether a number has an account.
"""
