#!/usr/bin/env python3
"""The means of gw_fleet_simulation as a plot: GW_FLEET_CSV=fleet.csv gw_fleet_simulation; plot_fleet.py fleet.csv OUT.svg

Plain SVG, standard library only: three figures (tokens/s, TTFT p50, TTFT p99) by users, a row per engine.
"""
import csv
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP_X, GAP_Y = 270, 190, 62, 58, 72, 84
FIGURES = [("tokens_per_s", "tokens/s", 1), ("ttft_p50_s", "TTFT p50, ms", 1000), ("ttft_p99_s", "TTFT p99, ms", 1000)]
COLOURS = {"round robin": "#8c8c8c", "least-busy": "#c98a1b", "inference-aware": "#1f6fb2", "oracle": "#2e8b57"}
DASHES = {"oracle": ' stroke-dasharray="5 4"'}


def nice_top(value):
    """The next round number above value."""
    step = 10 ** (len(str(int(value))) - 1)
    return next(k * step for k in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15) if k * step >= value)


def text(x, y, words, anchor="middle", size=11, extra=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}"{extra}>{words}</text>'


def panel(rows, key, title, factor, x0, y0):
    users = sorted({int(r["users"]) for r in rows})
    top = nice_top(max(float(r[key]) * factor for r in rows))

    def place(user, value):
        return x0 + (user - users[0]) / (users[-1] - users[0]) * WIDTH, y0 + HEIGHT * (1 - value / top)

    out = [text(x0 + WIDTH / 2, y0 - 10, title, size=12, extra=' font-weight="bold"')]
    for k in range(5):
        y = y0 + HEIGHT * k / 4
        out.append(f'<line x1="{x0}" y1="{y:.0f}" x2="{x0 + WIDTH}" y2="{y:.0f}" stroke="#ddd"/>')
        out.append(text(x0 - 6, y + 4, f"{top * (4 - k) / 4:,.0f}", "end"))
    out += [text(place(u, 0)[0], y0 + HEIGHT + 16, u) for u in users]
    out.append(text(x0 + WIDTH / 2, y0 + HEIGHT + 32, "users"))
    for name, colour in COLOURS.items():
        points = [place(int(r["users"]), float(r[key]) * factor) for r in rows if r["balancer"] == name]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{DASHES.get(name, "")}/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in points]
    return out


def main(source, target):
    with open(source, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    engines = list(dict.fromkeys(r["engine"] for r in rows))
    width = LEFT + len(FIGURES) * (WIDTH + GAP_X) - GAP_X + 20
    height = TOP + len(engines) * (HEIGHT + GAP_Y)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           f'height="{height}" font-family="sans-serif">', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + i * 170
        out.append(f'<line x1="{x}" y1="14" x2="{x + 28}" y2="14" stroke="{colour}" stroke-width="2"{DASHES.get(name, "")}/>')
        out.append(text(x + 34, 18, name, "start", 12))
    for line, engine in enumerate(engines):
        y0 = TOP + line * (HEIGHT + GAP_Y) + 10
        mine = [r for r in rows if r["engine"] == engine]
        out.append(text(LEFT, y0 - 26, engine, "start", 12, ' fill="#555"'))
        for column, (key, title, factor) in enumerate(FIGURES):
            out += panel(mine, key, title, factor, LEFT + column * (WIDTH + GAP_X), y0)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join([*out, "</svg>"]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
