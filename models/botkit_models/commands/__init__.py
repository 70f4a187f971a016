"""What botkit_models adds to the ``botkit`` command."""
