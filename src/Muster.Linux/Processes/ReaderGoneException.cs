namespace Muster.Linux;

/// <summary>Whoever read what is written has gone (EPIPE): there is nobody left to write for.</summary>
public sealed class ReaderGoneException() : IOException("Whoever read the output has gone");
