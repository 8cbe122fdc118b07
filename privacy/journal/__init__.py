"""The journal (nhật ký truy cập): a line for every disclosure, refusal and act, that nobody can alter.

It owns the lines, their order in a Merkle tree, the signed checkpoints and the verifier. A line is written
in the transaction of the act it records; a disclosure is answered only after its line is committed. Content
lies sealed under the subject's own key; the tree holds salted commitments, never personal data.

It never decides whether something may be disclosed (it asks its `DisclosureGuard`), never changes or
deletes a line, and never answers for a line that is not committed.
"""
