"""The line protocol LP/1 without a framework: messages, signatures, the fence and the responder.

The contract is `docs/line-protocol.md`; section numbers in this package refer to it.
"""
