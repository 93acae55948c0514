"""Names of the services that are served over gRPC."""

SERVICE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
