"""Pairwise subjects: the name under which one sector of relying parties knows a person.

It owns one function of a secret key. The subject depends on the person's internal id and the sector alone,
so it stays the same through a change of name, number and account, and tells two sectors nothing in common.

It never stores anything, and never derives a subject from a number, a name or a birth date.
"""
