"""Many workspaces: the app is added at ``/slack/install``, and each workspace's token is kept.

Only where a client id is set is this imported; slack_sdk and cryptography wait for the first call.
"""
