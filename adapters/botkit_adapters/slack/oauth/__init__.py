"""Many workspaces: the app is added at ``/slack/install``, and each workspace's token is kept.

slack_sdk and cryptography are imported when an installation is first read or written.
"""
