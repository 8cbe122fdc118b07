"""Pages for those who run clients: an agency's administrators, and in the sandbox every developer.

Here a client is proposed, reviewed by a second person, watched and suspended. The acts themselves are in
oidc.registration; nothing here touches a person's data, and no page shows a secret twice.
"""
