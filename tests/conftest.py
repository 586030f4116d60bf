from hypothesis import settings

# The same examples every time, and no failure because a shared machine was slow.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
