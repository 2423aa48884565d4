namespace Muster.Images.Tests.Trust;

/// <summary>A version 6 key (RFC 9580 profile, signing subkeys) and a signature by it, made with Sequoia's sq 1.3.1, as gpg 2.2 makes version 4 only.</summary>
internal static class Version6
{
    public const string Fingerprint = "66bfda3ff5510fd5c6d55cf60de7b21ca6a10a446751783cbce7a4ebf1ca2ae7";

    public const string SigningKey = "195b099e4024945f4d610e63db6c3a4b7c2a24aaff68cfa0d22dc24b2e0ac907";

    public const string Key = """
        -----BEGIN PGP PUBLIC KEY BLOCK-----

        xioGawM0MRsAAAAg3/m722YCHOXNdZVQzMrfwQ0Mvv9YBXYmjZl+b7ESY8nCpgYf
        GwoAAAA3BYJrAzQxAwsJBwMVCggCmwECHgkiIQZmv9o/9VEP1cbVXPYN57IcpqEK
        RGdReDy856Tr8coq5wAAAAD7hSDZNgrvS3kfW//YQke3LBaUdoCj80gIcdYzwGr+
        SV6IqS3UNKtcFqgItBe08Ct6EWbo23ORDQVywdqoXx83hUQ42dEld0WIyXzBqHkR
        rQQR77vMPAtT4D6yHGK5XckMNQvNCk11c3RlciBTaXjCqQYTGwoAAAA6BYJrAzQx
        AwsJBwMVCggCmQECmwECHgkiIQZmv9o/9VEP1cbVXPYN57IcpqEKRGdReDy856Tr
        8coq5wAAAABxpCAnE+qs5oKkqVijwIOvyeWTn19wljdAA19NMHHMiq9RM5FDCN2R
        hv9EhHGsVMgo6IwcUWcVKO/48CQm35OacNFiE9/mH7o5KxQkbREoBxXx4KD/ITjU
        /rHCLAVt3tsBvAzOKgZrAzQxGQAAACDUCL6oVItyO8agfF3iQm1OFl78kboXCUN1
        ItxeTltKY8KbBhgbCgAAACwFgmsDNDECmwwiIQZmv9o/9VEP1cbVXPYN57IcpqEK
        RGdReDy856Tr8coq5wAAAABDmSCRQ51eayh45UF007MNFNlIJPOIGaOtOKVSPCm7
        5abG4Hshqu5lafzWQxewp5UhdBy4l38z7HLQo08DsbDNq+zj2zbCXxrnrbeGH5T/
        /Poz+pG6hR5fbRdduSOb9Sir7gXOKgZrAzQxGwAAACAxtNpbiLv0k7FEQ48IgMcN
        PeM20tXnG5xwArak/SR1m8LAdQYYGwoAAADGBYJrAzQxApsCmaAGGRsKAAAAKQWC
        awM0MSIhBhlbCZ5AJJRfTWEOY9tsOkt8KiSq/2jPoNItwksuCskHAAAAAPmtII0E
        C6FopOedYL+Q1rKXFs+vac+UM/L0MnKTVShdk03Z1EGNB5s1ooMptYuqQtufH0xC
        etD+jTpHevbHB7BU0unQK3INHypWqSYDFGJaU9dziqVgiL2VGrS+pXfn+Q0gBiIh
        Bma/2j/1UQ/VxtVc9g3nshymoQpEZ1F4PLznpOvxyirnAAAAADHBIJsepWwF82+d
        WrU9D/dbF/ly0NqXUwiv977B2ETuBpUB2Kz230RHbE+4z/2RDVLV+4lB9gHgmBHn
        xbyb8Zlw5GlN4Tu60XlpjHZcghHG9QgD78p98Zvm/Kz1n9+HnsZvD84qBmsDNDEb
        AAAAIIBJv27DEAU9isskLOCnhEIXGxw0kvyfzuaEljMkH2XnwsB1BhgbCgAAAMYF
        gmsDNDECmyCZoAYZGwoAAAApBYJrAzQxIiEGNSjvz1CWu1i3gOeY1lOZAwDlpuDK
        Gao5V3wzG8egQ64AAAAATuwgWB5xME4rS45JsP9jUCc7hyjE6ehO8EALbeqnfXiH
        q4TEJICtYmCF45OayE9hb9K/7a8AmEmLX/Vq1wHsim6kYyVdaJqfi+q4VomhdyiL
        PIyb3E57raMlYFCvRscwWaINIiEGZr/aP/VRD9XG1Vz2DeeyHKahCkRnUXg8vOek
        6/HKKucAAAAAwWggcf+3jWsgvvVpfc5VzaRJ9MpjWPdSkfFF4l5DnzpdKkebBRx8
        ImvTT2Uj4tkY4uIr5MzlQ4cJirYAem4ebAhXEzWLIIhPtNYJy8J/Bzn+N37lLCZ6
        vGeaRpHaPn+fShkK
        =U29t
        -----END PGP PUBLIC KEY BLOCK-----
        """;

    /// <summary>Over <c>muster signs</c> and a line end.</summary>
    public const string Signature = """
        -----BEGIN PGP SIGNATURE-----

        wpgGABsKAAAAKQWCawM0OSIhBhlbCZ5AJJRfTWEOY9tsOkt8KiSq/2jPoNItwksu
        CskHAAAAABBKIDvK81P/D18hR5LYCWT7uc7ZsHMedMt8ypreHNr2rJvQCZwnuJn+
        P1Q9icQQkFZZNF1ws0vHb8nax+khxpvFFM7/yKFD6BzFSnm2PPovHniy+Ad5bo7h
        +LSHIyII3E1/DQ==
        -----END PGP SIGNATURE-----
        """;

    public static readonly DateTimeOffset Now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
}
