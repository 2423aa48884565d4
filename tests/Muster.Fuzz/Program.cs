using Muster.Fuzz;

return args switch
{
    ["list"] => FuzzLoop.List(),
    ["run", var target, .. { Length: > 0 } files] => FuzzLoop.Replay(target, files),
    ["loop", var target, .. var options] => FuzzLoop.Loop(target, options),
    _ => FuzzLoop.Usage(),
};
