namespace Muster.Images.Tests.Trust;

/// <summary>A sigstore bundle v0.3 with its key, made by cosign 2.5.0 with a key pair and no transparency log.</summary>
internal static class CosignBundle
{
    public const string Subject = "sha256:64e5a971f09fdd58d8e7ed11764796a644690bf2d2420496a25bf98b243ae8ff";

    public const string Key = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6jTF7pGl27RvP1KO9TAbiUVg4Kg6
        HICyLUfyhrp7K2KbvIbZ2v0BSwEDnT/IipwrD4jxB2+M1pRNTzzcymN/XQ==
        -----END PUBLIC KEY-----
        """;

    public const string Json = """
        {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":{"publicKey":{"hint":"LHkQIfO6aSgiJmSrDWAI4vR9NDMNXoZLejUvLJxgij8="}}, "dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjAuMSIsInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3NpZ24vc2lnbi92MSIsInN1YmplY3QiOlt7Im5hbWUiOiIxMjcuMC4wLjE6NTU1Ni9hcHAiLCJkaWdlc3QiOnsic2hhMjU2IjoiNjRlNWE5NzFmMDlmZGQ1OGQ4ZTdlZDExNzY0Nzk2YTY0NDY5MGJmMmQyNDIwNDk2YTI1YmY5OGIyNDNhZThmZiJ9fV0sInByZWRpY2F0ZSI6e319", "payloadType":"application/vnd.in-toto+json", "signatures":[{"sig":"MEQCICYb9i1pY0FY7dzfF9ylmaCTBojhPlolQmfWnT8JdluVAiBO7PdbLZz0LWCj9nXbjtoRVc3XnorfdV2OoS0LHQZreg=="}]}}
        """;
}
