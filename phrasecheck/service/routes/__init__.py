"""One file a subject, each with a `router`; app.py lists them.

How to add a route: give it a `name`, a row in ../access.py (a test refuses a route without one), `here: Here` for the store and settings, `who: Who`
for the visitor. Pages are plain `def` endpoints that end in pages.render or pages.back; the API answers under /api/v1. Every form holds `{{
csrf_field }}`; every fetch that changes something sends X-CSRF-Token (base.js: `send`). The request's body is limited to service.form_bytes; an
endpoint that takes more takes the raw `Request` and calls `security.allow_body(request, limit)` before reading it.
"""
