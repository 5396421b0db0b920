"""
A private database server for this machine: found or brought, initialized, started, ended.

It knows nothing of Keywright's schema: the migrate function makes that, here as in AWS.
"""

from infra.local.database.endpoint import Credentials, DatabaseError, Endpoint
from infra.local.database.given import given_database
from infra.local.database.programs import Kind, find_programs
from infra.local.database.server import DatabaseServer, PortLost
from infra.local.database.throwaway import private_database

__all__ = [
    "Credentials",
    "DatabaseError",
    "DatabaseServer",
    "Endpoint",
    "Kind",
    "PortLost",
    "find_programs",
    "given_database",
    "private_database",
]
