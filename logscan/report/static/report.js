// Draws the timeline and reads out the small charts. Everything else on the page stands without it.
(() => {
  "use strict";
  const root = document.documentElement;
  // What went wrong is kept on the page, where a person or a test can find it.
  const fail = (what) => { root.dataset.errors = `${root.dataset.errors || ""}${what}\n`; };
  window.addEventListener("error", (event) => fail(event.message));
  document.addEventListener("securitypolicyviolation", (event) => fail(`blocked: ${event.violatedDirective}`));

  const data = JSON.parse(document.getElementById("timeline-data").textContent);
  const word = data.text;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const locale = data.lang === "ja" ? "ja-JP" : "en-GB";
  const figures = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });

  const zoned = (options) => {
    let made;
    try {
      made = new Intl.DateTimeFormat(locale, { ...options, timeZone: data.zone });
    } catch {
      made = new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
    }
    // British English has one month of four letters; the rest of the page writes three.
    return { format: (when) => made.format(when).replace("Sept", "Sep") };
  };
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { year: "numeric", month: "short", day: "numeric" };
  const formats = {
    full: zoned({ ...day, ...clock, second: "2-digit" }),
    minute: zoned({ ...day, ...clock }),
    time: zoned(clock),
    second: zoned({ ...clock, second: "2-digit" }),
    day: zoned({ month: "short", day: "numeric" }),
    month: zoned({ year: "numeric", month: "short" }),
    key: zoned({ year: "numeric", month: "numeric", day: "numeric" }),
  };
  const moment = (x) => {
    if (!data.dated) return figures.format(x);
    const when = new Date(Math.round(x * 1000));
    return (x % 60 === 0 ? formats.minute : formats.full).format(when);
  };

  // ---- timeline -----------------------------------------------------------------------------------------
  const series = data.entities.map((entity) => {
    const x = new Array(entity.x.length);
    let sum = 0;
    for (let i = 0; i < x.length; i += 1) {
      sum += entity.x[i];
      x[i] = entity.origin + sum * entity.unit;
    }
    return { ...entity, x };
  });
  const holder = document.getElementById("timeline-chart");
  const chooser = document.getElementById("timeline-entity");
  const heatBox = document.getElementById("timeline-heat");
  let plot = null;
  let shown = 0;

  const axisLabels = (u, splits, axis, space, step) => {
    if (!data.dated) return splits.map((x) => figures.format(x));
    let before = "";
    return splits.map((x) => {
      const when = new Date(Math.round(x * 1000));
      if (step >= 27 * 86400) return formats.month.format(when);
      if (step >= 86400) return formats.day.format(when);
      const key = formats.key.format(when);
      const time = (step >= 60 ? formats.time : formats.second).format(when);
      const label = key === before ? time : `${time}\n${formats.day.format(when)}`;
      before = key;
      return label;
    });
  };

  const bands = (u) => {
    const entity = series[shown];
    const { ctx, bbox } = u;
    const left = bbox.left;
    const right = bbox.left + bbox.width;
    const pixel = window.devicePixelRatio || 1;
    ctx.save();
    ctx.fillStyle = colour("silent");
    for (const [start, end] of entity.silent) {
      const from = Math.max(u.valToPos(entity.origin + start * entity.unit, "x", true), left);
      const to = Math.min(u.valToPos(entity.origin + end * entity.unit, "x", true), right);
      if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    const placed = [];  // events come most severe first: where numbers would collide, the severe one stays
    for (const [rank, start, end] of entity.events) {
      const from = Math.max(u.valToPos(start, "x", true), left);
      const to = Math.min(Math.max(u.valToPos(end, "x", true), u.valToPos(start, "x", true) + 2 * pixel), right);
      if (to > left && from < right) {
        ctx.fillStyle = colour("wash");
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
        ctx.fillStyle = colour("alarm");
        ctx.fillRect(from, bbox.top, to - from, 3 * pixel);
        if (placed.every((other) => Math.abs(other - from) > 20 * pixel)) {
          ctx.font = `600 ${12 * pixel}px system-ui, sans-serif`;
          ctx.textAlign = "left";
          ctx.textBaseline = "bottom";
          ctx.fillText(String(rank), from, bbox.top - 2 * pixel);
          placed.push(from);
        }
      }
    }
    ctx.restore();
  };

  const limit = (u) => {
    const { threshold } = series[shown];
    if (threshold === null) return;
    const pixel = window.devicePixelRatio || 1;
    const y = Math.round(u.valToPos(threshold, "y", true)) + 0.5;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    // A pale band below keeps the dashes visible where the score is one dark block.
    for (const [tone, width, dash] of [["halo", 3, []], ["alarm", 1.2, [5, 4]]]) {
      ctx.strokeStyle = colour(tone);
      ctx.lineWidth = width * pixel;
      ctx.setLineDash(dash.map((length) => length * pixel));
      ctx.stroke();
    }
    ctx.restore();
  };

  const heat = (u) => {
    const entity = series[shown];
    if (!entity.heat) return;
    const { channels, rows } = entity.heat;
    const canvas = heatBox.querySelector("canvas");
    const pixel = window.devicePixelRatio || 1;
    const row = 18 * pixel;
    canvas.width = Math.round(holder.clientWidth * pixel);
    canvas.height = row * channels.length;
    const ctx = canvas.getContext("2d");
    const tone = colour("heat");
    const first = entity.origin;
    const width = (entity.end - first) / rows[0].length;
    ctx.beginPath();
    ctx.rect(u.bbox.left, 0, u.bbox.width, canvas.height);
    ctx.clip();
    rows.forEach((digits, line) => {
      ctx.fillStyle = colour("faint");
      ctx.fillRect(u.bbox.left, line * row + pixel, u.bbox.width, row - 2 * pixel);
      for (let i = 0; i < digits.length; i += 1) {
        const level = digits.charCodeAt(i) - 48;
        if (level === 0) continue;
        const from = Math.round(u.valToPos(first + i * width, "x", true));
        const to = Math.round(u.valToPos(first + (i + 1) * width, "x", true));
        const place = [from, line * row + pixel, Math.max(to - from, 1), row - 2 * pixel];
        if (level > 0 && level <= 9) {
          ctx.fillStyle = `rgb(${tone} / ${(level / 9) ** 1.5})`;
          ctx.fillRect(...place);
        } else {
          ctx.clearRect(...place);  // nothing judged here
        }
      }
    });
  };

  const heatNames = () => {
    const entity = series[shown];
    heatBox.hidden = !entity.heat;
    if (!entity.heat) return;
    heatBox.querySelector("ul").replaceChildren(...entity.heat.channels.map((channel, line) => {
      const item = document.createElement("li");
      item.textContent = channel;
      item.title = channel;
      item.style.top = `${line * 18}px`;
      return item;
    }));
  };

  const draw = (keep) => {
    const entity = series[shown];
    const zoom = keep && plot ? [plot.scales.x.min, plot.scales.x.max] : null;
    if (plot) plot.destroy();
    const narrow = holder.clientWidth < 560;
    const axis = { stroke: colour("soft"), grid: { stroke: colour("faint"), width: 1 }, ticks: { stroke: colour("rule"), width: 1, size: 5 }, font: "12px system-ui, sans-serif" };
    const top = (low, high) => Math.max(high, (entity.threshold || 0) * 1.25) * 1.05;
    plot = new uPlot({
      width: holder.clientWidth,
      height: narrow ? 260 : 300,
      padding: [20, 24, 0, 0],
      tzDate: (x) => uPlot.tzDate(new Date(x * 1e3), data.zone),
      cursor: { y: false, drag: { x: true, y: false } },
      scales: {
        x: { time: data.dated },
        y: { range: (u, low, high) => [Math.min(0, low || 0), top(low || 0, high || 1)], ...(entity.compress ? { distr: 4, asinh: entity.threshold } : {}) },
      },
      axes: [
        { ...axis, values: axisLabels, space: narrow ? 64 : 80, size: 44 },
        { ...axis, size: entity.heat ? (narrow ? 78 : 150) : 52, values: (u, splits) => splits.map((y) => (y === null ? "" : figures.format(y))), ...(entity.compress ? { filter: (u, splits) => splits } : {}) },
      ],
      series: [
        { label: data.dated ? word.time : word.step_axis, value: (u, x) => (x === null ? "" : moment(x)) },
        { label: word.score, stroke: colour("score"), width: 1.2, points: { show: false }, value: (u, y, s, i) => (y === null || y === undefined ? (i === null || i === undefined ? "" : word.not_judged) : figures.format(y)) },
      ],
      hooks: { drawClear: [bands], draw: [limit, heat] },
    }, [entity.x, entity.y], holder);
    if (zoom) plot.setScale("x", { min: zoom[0], max: zoom[1] });
    heatNames();
    root.dataset.timelinePoints = String(entity.x.length);
  };

  const select = (index) => {
    shown = index;
    if (chooser) chooser.value = String(index);
    draw(false);
  };

  const zoom = (how) => {
    const { x } = series[shown];
    const first = x[0];
    const last = x[x.length - 1];
    let { min, max } = plot.scales.x;
    const half = (max - min) / 2;
    const middle = min + half;
    if (how === "in") [min, max] = [middle - half / 2, middle + half / 2];
    else if (how === "out") [min, max] = [middle - half * 2, middle + half * 2];
    else if (how === "earlier") [min, max] = [min - half, max - half];
    else if (how === "later") [min, max] = [min + half, max + half];
    else [min, max] = [first, last];
    const length = Math.min(max - min, last - first);
    min = Math.min(Math.max(min, first), last - length);
    plot.setScale("x", { min, max: min + length });
  };

  const goTo = (rank) => {
    const index = series.findIndex((entity) => entity.events.some((event) => event[0] === rank));
    if (index < 0) return;
    if (index !== shown) select(index);
    const [, start, end] = series[shown].events.find((event) => event[0] === rank);
    const { x } = series[shown];
    const margin = Math.max((end - start) * 2, (x[x.length - 1] - x[0]) / 100);
    plot.setScale("x", { min: Math.max(start - margin, x[0]), max: Math.min(end + margin, x[x.length - 1]) });
    document.getElementById("timeline").scrollIntoView();
  };

  // ---- small charts: values under the pointer -------------------------------------------------------------
  const points = (path) => (path.getAttribute("d") || "").split(/[ML]/).slice(1).map((pair) => pair.split(",").map(Number));
  const nearest = (list, x) => list.reduce((best, point) => (best === null || Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best), null);
  document.querySelectorAll(".trace").forEach((figure) => {
    const frame = figure.querySelector("svg.plot");
    const line = figure.querySelector(".cursor");
    const output = figure.querySelector("output");
    const [x0, x1] = figure.dataset.x.split(",").map(Number);
    const [y0, y1] = figure.dataset.y.split(",").map(Number);
    const lines = ["observed", "expected"].map((kind) => [word[kind], points(figure.querySelector(`path.${kind}`))]);
    frame.addEventListener("pointermove", (event) => {
      const box = frame.getBoundingClientRect();
      const at = (1000 * (event.clientX - box.left)) / box.width;
      const near = lines.map(([name, list]) => [name, nearest(list, at)]).filter(([, point]) => point && Math.abs(point[0] - at) < 20);
      if (!near.length) return;
      const x = near[0][1][0];
      line.setAttribute("x1", `${x / 10}%`);
      line.setAttribute("x2", `${x / 10}%`);
      line.style.visibility = "visible";
      const values = near.map(([name, point]) => `${name} ${figures.format(y1 - ((y1 - y0) * point[1]) / 100)}`);
      // Paths are rounded to a tenth of a pixel; the grid tells which step was meant.
      const when = x0 + Math.round(((x1 - x0) * x) / 1000 / data.step) * data.step;
      output.textContent = [moment(when), ...values].join("  ");
    });
    frame.addEventListener("pointerleave", () => {
      line.style.visibility = "hidden";
      output.textContent = "";
    });
  });

  document.querySelectorAll('a[href^="#event-"]').forEach((link) => link.addEventListener("click", () => {
    document.querySelector(link.getAttribute("href")).open = true;
  }));
  // Where nothing was judged the page has no timeline.
  if (holder) {
    draw(false);
    if (chooser) chooser.addEventListener("change", () => select(Number(chooser.value)));
    document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom(button.dataset.zoom)));
    document.querySelectorAll("[data-event]").forEach((button) => button.addEventListener("click", () => goTo(Number(button.dataset.event))));
    let width = holder.clientWidth;
    new ResizeObserver(() => {
      if (holder.clientWidth !== width) {
        width = holder.clientWidth;
        draw(true);
      }
    }).observe(holder);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      window.matchMedia(query).addEventListener("change", () => draw(true));
    }
  }
  root.dataset.ready = "yes";
})();
