"""The citizen's desk: what is held about me, who looked at it, how it is protected.

Owns the pages a citizen starts from. Shows the record only through consent's disclosure door and the history
only from the journal. Never decides who may see what, and keeps no data of its own yet (rights requests,
detection, retention and the breach register come here).
"""
