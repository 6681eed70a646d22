"""The QA desk in a browser, and its API: a thin shell of FastAPI over the store and the stages.

In: Settings, a Store. Out: an ASGI application (app.create_app). The one decision: who may do what is one literal table (access.py), asked in one
place before every route; which calls a person may see is another (scope.py).
"""
