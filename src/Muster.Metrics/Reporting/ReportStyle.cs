namespace Muster.Metrics.Reporting;

/// <summary>How the page of a report looks: light, dark, narrow, and on paper.</summary>
internal static class ReportStyle
{
    public const string Text = """
        :root{--ground:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5c6879;--line:#e3e7ed;--cpu:#2f6fde;--memory:#8a4fd3;--disk:#c77700;--network:#0f8f6b;--io:#b0468f;--stalled:#64748b;--bad:#c8323b;--warn:#a86c00;--good:#23803f;--badtint:#fdecec;--warntint:#fdf3e0;--goodtint:#e8f5ec}
        @media (prefers-color-scheme:dark){:root{--ground:#10141b;--card:#1a202a;--ink:#e8ecf2;--soft:#98a4b5;--line:#2b3441;--cpu:#6ea3ff;--memory:#bb8cf5;--disk:#f0a63c;--network:#41c79c;--io:#ec86cd;--stalled:#94a3b8;--bad:#ff7a80;--warn:#f0b64a;--good:#62c981;--badtint:#3a1f25;--warntint:#352a17;--goodtint:#1b3024}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
        main{max-width:1240px;margin:0 auto;padding:32px 24px 64px}
        h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}
        h2{font-size:20px;margin:40px 0 12px;display:flex;gap:10px;align-items:baseline;overflow-wrap:anywhere}
        tr.host th{text-align:left;padding-top:18px;font-weight:650}
        h2 small{font-size:13px;font-weight:500;color:var(--soft)}
        p.sub{margin:0;color:var(--soft)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin:24px 0 8px}
        .tile,figure,.sheet{background:var(--card);border:1px solid var(--line);border-radius:12px}
        .tile{padding:14px 18px}.tile b.good{color:var(--good)}
        .tile b{display:block;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.02em}
        .tile span{color:var(--soft);font-size:13px}
        .sheet{overflow-x:auto;padding:4px 0}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
        th{font-weight:600;color:var(--soft);font-size:12.5px;text-align:right;padding:8px 10px;white-space:nowrap}
        td{padding:7px 10px;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
        th:first-child,td:first-child,figure td:first-child{text-align:left}
        .bar+span{display:inline-block;min-width:3.2em}
        th:first-child,td:first-child{padding-left:16px}th:last-child,td:last-child{padding-right:16px}td.chips{white-space:normal;max-width:150px;min-width:110px}td.name{max-width:190px;overflow:hidden;text-overflow:ellipsis}
        a{color:inherit;text-decoration:none;border-bottom:1px solid var(--line)}
        .bar{display:inline-block;width:84px;height:8px;border-radius:4px;background:var(--line);overflow:hidden;vertical-align:middle;margin-right:8px}
        .bar i{display:block;height:100%;border-radius:4px;background:var(--good)}
        .warn{color:var(--warn)}.bad{color:var(--bad);font-weight:600}.bar.warn i{background:var(--warn)}.bar.bad i{background:var(--bad)}
        figure{margin:0 0 14px;padding:14px 18px 12px;display:grid;grid-template-columns:minmax(0,1fr) 250px;gap:8px 22px;break-inside:avoid}
        figcaption{grid-column:1/-1;font-weight:600;text-transform:none;display:flex;align-items:center;gap:8px}
        figcaption::before{content:"";width:10px;height:10px;border-radius:3px;background:var(--k)}
        figcaption em{font-style:normal;font-weight:400;color:var(--soft);text-transform:none;overflow-wrap:anywhere}
        figure td,figure th{padding:4px 0;font-size:13px}
        figure th{text-align:left;font-weight:400}
        figure tr:first-child td,figure tr:first-child th{border:0}
        figure th{border-top:1px solid var(--line)}
        svg{width:100%;height:auto;display:block}
        .c-cpu{--k:var(--cpu)}.c-memory{--k:var(--memory)}.c-disk{--k:var(--disk)}.c-network{--k:var(--network)}.c-io{--k:var(--io)}.c-stalled{--k:var(--stalled)}
        svg text{font-size:11px;fill:var(--soft);font-variant-numeric:tabular-nums}
        .axis line{stroke:var(--line)}.axis .base,.axis .tick{stroke:var(--soft);opacity:.6}
        .peak{fill:var(--k);opacity:.14}.area{fill:var(--k);opacity:.16}.mean{fill:none;stroke:var(--k);stroke-width:1.8;stroke-linejoin:round}
        line.limit{stroke:var(--bad);stroke-width:1.4;stroke-dasharray:6 4}svg text.limit{fill:var(--bad)}
        line.p95{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3;opacity:.7}svg text.p95{fill:var(--ink)}
        line.trend{stroke:var(--ink);stroke-width:1.6;opacity:.85}
        .hit rect{fill:transparent}.hit rect:hover{fill:var(--k);opacity:.18}
        .advice{list-style:none;margin:18px 0 0;padding:0;display:grid;gap:8px}
        .advice li{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--k);border-radius:10px;padding:9px 16px;display:flex;gap:4px 14px;flex-wrap:wrap;align-items:baseline}
        .advice b{overflow-wrap:anywhere}.advice span{color:var(--soft)}
        .advice em{font-style:normal;font-size:11.5px;font-weight:600;border-radius:20px;padding:1px 9px;color:var(--k);background:var(--t)}
        .k-now{--k:var(--bad);--t:var(--badtint)}.k-soon{--k:var(--warn);--t:var(--warntint)}.k-saving{--k:var(--good);--t:var(--goodtint)}
        .spark{width:96px;height:26px;display:inline-block;vertical-align:middle;margin-right:9px}
        .look{display:flex;gap:10px;justify-content:flex-end;align-items:center}.look span{min-width:4.5em}.look .bar{width:54px;height:6px;margin-right:6px}.look small .bar+span{min-width:2.6em}
        td small{display:block;color:var(--soft);font-size:12px;line-height:1.2}
        .chip{display:inline-block;font-size:11.5px;font-weight:600;border-radius:20px;padding:1px 9px;margin:1px 0 1px 4px;color:var(--bad);background:var(--badtint)}
        .chip.warn{color:var(--warn);background:var(--warntint)}
        details{margin-top:14px}
        summary{cursor:pointer;list-style:none;display:flex;gap:10px;align-items:baseline;font-size:19px;font-weight:650;padding:6px 0;overflow-wrap:anywhere}
        summary::-webkit-details-marker{display:none}
        summary::before{content:"\25B8";color:var(--soft);font-size:14px}details[open]>summary::before{content:"\25BE"}
        summary small{font-size:13px;font-weight:500;color:var(--soft);white-space:nowrap}
        .small{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:12px;margin:0 0 14px}
        .small figure{display:block;margin:0;padding:11px 14px 9px}
        .small figcaption{font-size:13.5px}
        .small .spark{width:100%;height:54px;display:block;margin:7px 0 5px}
        .small p{margin:0;font-size:12.5px;color:var(--soft);display:flex;justify-content:space-between;gap:8px;font-variant-numeric:tabular-nums}.small p span{white-space:nowrap}.small p{flex-wrap:wrap}.small p b{color:var(--ink);font-weight:600}
        .why{grid-column:1/-1;margin:2px 0 0;color:var(--bad);font-size:13px}
        footer{color:var(--soft);font-size:13px;margin-top:36px;max-width:80ch}
        @media (max-width:760px){main{padding:20px 12px}figure{grid-template-columns:1fr}}
        @media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--cpu:#2f6fde;--memory:#8a4fd3;--disk:#c77700;--network:#0f8f6b;--io:#b0468f;--stalled:#64748b;--bad:#c8323b;--warn:#8f5e00;--good:#23803f;--badtint:#fff;--warntint:#fff;--goodtint:#fff}main{max-width:none;padding:0}body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}figure{grid-template-columns:minmax(0,1fr) 190px}h2{break-after:avoid}tr{break-inside:avoid}}
        """;
}
