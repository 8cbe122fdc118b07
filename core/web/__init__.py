"""The web shell: pages, forms, headers, languages. Knows no domain word."""
