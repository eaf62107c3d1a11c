// What a picture looks like, for a page and for a picture without a browser: tunebookDraw(data, scheme, size) makes an
// option of ECharts out of a chart's data. All text of the user is a string in the data; the only functions are the ones here.
var tunebookDraw = (function () {
  'use strict';
  // Okabe and Ito's palette, ordered for contrast on each ground; black and yellow are left out.
  var light = { ink: '#1c1d21', soft: '#5a5f6a', rule: '#e3e5ea', ground: '#ffffff',
    color: ['#0072b2', '#d55e00', '#00845f', '#a8558c', '#b07a00', '#3d8fc4', '#6b6b6b'] };
  var dark = { ink: '#e6e8ec', soft: '#a3a9b5', rule: '#31353e', ground: '#1d2026',
    color: ['#5db1e8', '#f08a4b', '#2fc39a', '#dd96c2', '#e5b43c', '#9ad0f2', '#b5b5b5'] };

  function band(shape) {
    return function (params, api) {
      if (params.dataIndexInside !== 0) return null;
      var runs = [], run = [];
      shape.points.forEach(function (p) {
        if (p[1] === null || p[2] === null) { if (run.length) runs.push(run); run = []; } else run.push(p);
      });
      if (run.length) runs.push(run);
      var color = api.visual('color');
      return { type: 'group', silent: true, children: runs.map(function (r) {
        var up = r.map(function (p) { return api.coord([p[0], p[2]]); });
        var down = r.map(function (p) { return api.coord([p[0], p[1]]); }).reverse();
        if (r.length === 1) {
          return { type: 'line', silent: true, shape: { x1: up[0][0], y1: up[0][1], x2: down[0][0], y2: down[0][1] },
            style: { stroke: color, lineWidth: 6, opacity: 0.25 } };
        }
        return { type: 'polygon', silent: true, shape: { points: up.concat(down) }, style: { fill: color, opacity: 0.16 } };
      }) };
    };
  }

  function whisker(shape, look) {
    return function (params, api) {
      var p = shape.points[params.dataIndex];
      if (!p || p[1] === null || p[2] === null) return null;
      var bars = api.barLayout({ barGap: '10%', barCategoryGap: '35%', count: shape.places });
      var bar = bars[shape.place || 0];
      var low = api.coord([p[0], p[1]]), high = api.coord([p[0], p[2]]);
      var x = low[0] + bar.offsetCenter, cap = Math.min(8, bar.width / 4);
      var style = { stroke: look.ink, lineWidth: 1.5 };
      function line(x1, y1, x2, y2) { return { type: 'line', silent: true, shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: style }; }
      return { type: 'group', silent: true, children: [line(x, low[1], x, high[1]), line(x - cap, low[1], x + cap, low[1]), line(x - cap, high[1], x + cap, high[1])] };
    };
  }

  // The interval of a value that lies along the x axis; p is [low, high, category].
  function sideways(shape, look) {
    return function (params, api) {
      var p = shape.points[params.dataIndex];
      if (!p || p[0] === null || p[1] === null) return null;
      var low = api.coord([p[0], p[2]]), high = api.coord([p[1], p[2]]), cap = 5;
      var style = { stroke: look.ink, lineWidth: 1.5 };
      function line(x1, y1, x2, y2) { return { type: 'line', silent: true, shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: style }; }
      return { type: 'group', silent: true, children: [line(low[0], low[1], high[0], high[1]), line(low[0], low[1] - cap, low[0], low[1] + cap), line(high[0], low[1] - cap, high[0], low[1] + cap)] };
    };
  }

  // The outline of a distribution: p is [category, from, to], outline a list of [value, width from 0 to 1].
  function violin(shape) {
    return function (params, api) {
      var p = shape.points[params.dataIndex], outline = shape.outlines[params.dataIndex];
      if (!p || !outline || !outline.length) return null;
      var half = api.size([1, 0])[0] * 0.42, color = api.visual('color');
      var right = outline.map(function (o) { var c = api.coord([p[0], o[0]]); return [c[0] + half * o[1], c[1]]; });
      var left = outline.map(function (o) { var c = api.coord([p[0], o[0]]); return [c[0] - half * o[1], c[1]]; }).reverse();
      return { type: 'polygon', silent: true, shape: { points: right.concat(left) }, style: { fill: color, opacity: 0.35, stroke: color, lineWidth: 1 } };
    };
  }

  // A thick line from low to high at a category.
  function stem(shape) {
    return function (params, api) {
      var p = shape.points[params.dataIndex];
      if (!p || p[1] === null || p[2] === null) return null;
      var low = api.coord([p[0], p[1]]), high = api.coord([p[0], p[2]]);
      return { type: 'line', silent: true, shape: { x1: low[0], y1: low[1], x2: high[0], y2: high[1] }, style: { stroke: api.visual('color'), lineWidth: 4 } };
    };
  }

  var shapes = { stem: stem, band: band, whisker: whisker, sideways: sideways, violin: violin };

  function number(v) { return Math.abs(v) >= 1e6 || (v !== 0 && Math.abs(v) < 1e-4) ? v.toExponential(1).replace('.0e', 'e') : String(+v.toPrecision(6)); }

  // list returns what ECharts takes as one or as several.
  function list(x) { return x === undefined ? [] : [].concat(x); }

  function prepare(data, scheme, size) {
    var look = scheme === 'dark' ? dark : light;
    var o = data.option;
    data.draw = data.draw || {};
    o.textStyle = { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif", color: look.ink };
    o.color = look.color;
    o.backgroundColor = 'transparent';
    list(o.xAxis).forEach(function (a) {
      a.nameTextStyle = { color: look.ink, fontSize: 13 };
      a.nameTruncate = { maxWidth: Math.max(120, size[0] * 0.7), ellipsis: '…' };
      a.axisLine = { onZero: false, lineStyle: { color: look.soft } };
      a.axisTick = { lineStyle: { color: look.soft } };
      a.axisLabel = { color: look.soft, fontSize: 12, hideOverlap: true };
      a.splitLine = { show: false };
      if (a.type === 'category') {
        // All labels where they have room, cut to it; beyond that ECharts chooses some.
        var room = (size[0] - 90) / a.data.length - 8;
        a.axisLabel.overflow = 'truncate';
        a.axisLabel.width = Math.max(110, room);
        if (room > 36) { a.axisLabel.width = room; a.axisLabel.interval = 0; }
        else if (a.data.length <= 60 && room > 4 && !a.ordered) {
          var longest = a.data.reduce(function (m, t) { return Math.max(m, String(t).length); }, 0);
          a.axisLabel.rotate = 50; a.axisLabel.width = 90; a.axisLabel.interval = 0; a.axisLabel.hideOverlap = false;
          a.nameGap = Math.round(Math.min(90, longest * 6.6) * 0.77) + 24;
        }
        a.axisTick.alignWithLabel = true;
      } else {
        a.axisLabel.formatter = number;
        if (data.ticks) { a.axisTick.customValues = data.ticks; a.axisLabel.customValues = data.ticks; }
      }
    });
    list(o.yAxis).forEach(function (a) {
      a.nameTextStyle = { color: look.ink, fontSize: 13 };
      a.nameTruncate = { maxWidth: Math.max(120, size[1] * 0.7), ellipsis: '…' };
      a.axisLine = { show: false };
      a.axisLabel = { color: look.soft, fontSize: 12 };
      if (a.type === 'category') {
        a.axisTick = { show: false };
        a.splitLine = { show: false };
        a.axisLabel.overflow = 'truncate';
        a.axisLabel.width = Math.max(60, Math.min(220, size[0] * 0.3));
        if (a.data.length * 14 < size[1]) a.axisLabel.interval = 0;
      } else {
        a.axisLabel.formatter = number;
        a.splitLine = { lineStyle: { color: look.rule } };
      }
    });
    o.legend = Object.assign(o.legend || { show: false }, { textStyle: { color: look.ink, fontSize: 13, width: 220, overflow: 'truncate' }, pageTextStyle: { color: look.soft },
      pageIconColor: look.soft, pageIconInactiveColor: look.rule, inactiveColor: look.rule, itemWidth: 24, itemGap: 22 });
    o.legend.data = o.series.filter(function (s) { return s.type !== 'custom' && s.name; }).map(function (s) { return { name: s.name }; });
    list(o.visualMap).forEach(function (v) {
      v.textStyle = { color: look.soft };
      v.formatter = number;
    });
    o.series.forEach(function (s, i) {
      var texts = (data.labels || [])[i];
      if (texts) {
        s.label = Object.assign({ color: look.ink, fontSize: 12 }, s.label, { show: true, formatter: function (p) { return texts[p.dataIndex] || ''; } });
      }
      if (s.type === 'custom') {
        var shape = data.draw[i];
        s.renderItem = shapes[shape.kind](shape, look);
        s.silent = true; s.tooltip = { show: false }; s.clip = shape.kind === 'band' || shape.kind === 'violin';
        s.z = shape.kind === 'whisker' || shape.kind === 'sideways' ? 5 : 1;
      } else if (s.type === 'bar') {
        s.barGap = s.barGap || '10%'; s.barCategoryGap = s.barCategoryGap || '35%'; s.barMaxWidth = null;
      } else if (s.type === 'boxplot') {
        s.itemStyle = { color: 'transparent', borderColor: look.color[0], borderWidth: 1.5 };
      } else if (s.type === 'heatmap') {
        s.itemStyle = { borderColor: look.ground, borderWidth: 1 };
        s.emphasis = { itemStyle: { borderColor: look.ink, borderWidth: 2 } };
      } else if (s.type === 'sankey') {
        s.label = { color: look.ink, fontSize: 12, width: Math.min(135, size[0] * 0.25), overflow: 'truncate' };
        s.lineStyle = { color: 'gradient', opacity: 0.4 };
        s.emphasis = { focus: 'adjacency' };
      } else {
        s.emphasis = { focus: 'none', scale: 1.2 };
        s.z = 3;
        if (s.type === 'line' && s.data.length > 2000) { s.sampling = 'lttb'; s.showSymbol = false; }
        if (s.type === 'scatter' && s.data.length > 2000) { s.large = true; s.largeThreshold = 2000; s.progressive = 0; s.symbolSize = 2; s.itemStyle = { opacity: 0.5 }; }
      }
      if (s.markLine) { s.markLine.lineStyle = { color: look.soft, type: 'dashed' }; s.markLine.label = { show: false }; s.markLine.symbol = 'none'; s.markLine.silent = true; }
    });
    return o;
  }

  prepare.number = number;
  prepare.schemes = { light: light, dark: dark };
  return prepare;
})();
