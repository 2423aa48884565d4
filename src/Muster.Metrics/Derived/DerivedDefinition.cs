using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>One derived metric as it was defined; its expression has been read, what it means depends on the metrics there are.</summary>
public sealed class DerivedDefinition
{
    internal DerivedDefinition(string name, string expression, bool isOwn)
    {
        if (!MetricNames.IsName(name))
        {
            throw new MusterException(ErrorKind.Invalid, $"\"{name}\" is no name of a metric: letters, digits, underscores and single dots, each part beginning with a letter");
        }

        (Name, Expression, IsOwn) = (name, expression, isOwn);
        Syntax = DerivedParser.Parse(expression);
    }

    public string Name { get; }

    public string Expression { get; }

    /// <summary>Given for one use alone, such as a context of the REST interface or a run of a command: it goes before one of the same name for all (pmAddDerived(3)).</summary>
    public bool IsOwn { get; }

    /// <summary>The one-line text, when the definition has one.</summary>
    public string OneLine { get; internal set; } = "";

    public string Help { get; internal set; } = "";

    internal DerivedSyntax Syntax { get; }
}
