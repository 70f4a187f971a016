"""Bots on function platforms that call code instead of running a server.

:mod:`botkit.functions.aws_lambda` is the entry point for AWS Lambda. Platforms that run a container
and send it requests (Cloud Run, Knative) need none of this: there ``botkit serve`` listens on PORT.
"""
