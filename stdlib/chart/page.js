// Draws every figure of the class tb-chart. All text of the user comes as strings of the JSON beside the figure and goes
// to the page as text nodes; the only functions are the ones here.
(function () {
  'use strict';
  // Okabe and Ito's palette, ordered for contrast on each ground; black and yellow are left out.
  var light = { ink: '#1c1d21', soft: '#5a5f6a', rule: '#e3e5ea', ground: '#ffffff',
    color: ['#0072b2', '#d55e00', '#00845f', '#a8558c', '#b07a00', '#3d8fc4', '#6b6b6b'] };
  var dark = { ink: '#e6e8ec', soft: '#a3a9b5', rule: '#31353e', ground: '#1d2026',
    color: ['#5db1e8', '#f08a4b', '#2fc39a', '#dd96c2', '#e5b43c', '#9ad0f2', '#b5b5b5'] };
  var query = window.matchMedia('(prefers-color-scheme: dark)');
  var printing = false;

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

  function tip(data) {
    return function (list) {
      list = [].concat(list).filter(function (p) { return (data.tips[p.seriesIndex] || [])[p.dataIndex]; });
      if (!list.length) return '';
      var box = document.createElement('div');
      box.className = 'tb-tip';
      var head = document.createElement('strong');
      var axis = [].concat(data.option.xAxis)[0];
      head.textContent = axis.name + ': ' + (axis.type === 'category' ? list[0].axisValueLabel : number(list[0].value[0]));
      box.appendChild(head);
      list.forEach(function (p) {
        var row = document.createElement('div'), dot = document.createElement('i'), text = document.createElement('span');
        dot.style.background = p.color;
        text.textContent = p.seriesName + ': ' + data.tips[p.seriesIndex][p.dataIndex];
        row.appendChild(dot); row.appendChild(text); box.appendChild(row);
      });
      return box;
    };
  }

  function number(v) { return Math.abs(v) >= 1e6 || (v !== 0 && Math.abs(v) < 1e-4) ? v.toExponential(1).replace('.0e', 'e') : String(+v.toPrecision(6)); }

  function prepare(data, look, size) {
    var o = data.option;
    o.textStyle = { fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif', color: look.ink };
    o.color = look.color;
    o.backgroundColor = 'transparent';
    [].concat(o.xAxis).forEach(function (a) {
      a.nameTextStyle = { color: look.ink, fontSize: 13 };
      a.nameTruncate = { maxWidth: Math.max(120, size[0] - 120), ellipsis: '…' };
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
        a.axisTick.alignWithLabel = true;
      } else {
        a.axisLabel.formatter = number;
        if (data.ticks) { a.axisTick.customValues = data.ticks; a.axisLabel.customValues = data.ticks; }
      }
    });
    [].concat(o.yAxis).forEach(function (a) {
      a.nameTextStyle = { color: look.ink, fontSize: 13 };
      a.nameTruncate = { maxWidth: Math.max(120, size[1] - 100), ellipsis: '…' };
      a.axisLine = { show: false };
      a.axisLabel = { color: look.soft, fontSize: 12, formatter: number };
      a.splitLine = { lineStyle: { color: look.rule } };
    });
    Object.assign(o.legend, { textStyle: { color: look.ink, fontSize: 13, width: 220, overflow: 'truncate' }, pageTextStyle: { color: look.soft },
      pageIconColor: look.soft, pageIconInactiveColor: look.rule, inactiveColor: look.rule, itemWidth: 24 });
    o.tooltip = { trigger: 'axis', confine: true, transitionDuration: 0, formatter: tip(data), backgroundColor: look.ground, borderColor: look.rule,
      textStyle: { color: look.ink }, axisPointer: { lineStyle: { color: look.soft } } };
    o.legend.data = o.series.filter(function (s) { return s.type !== 'custom'; }).map(function (s) { return { name: s.name }; });
    o.series.forEach(function (s, i) {
      if (s.type === 'custom') {
        var shape = data.draw[i];
        s.renderItem = (shape.kind === 'band' ? band : whisker)(shape, look);
        s.silent = true; s.tooltip = { show: false }; s.clip = shape.kind === 'band';
        s.z = shape.kind === 'band' ? 1 : 5;
      } else if (s.type === 'bar') {
        s.barGap = '10%'; s.barCategoryGap = '35%'; s.barMaxWidth = null;
      } else {
        s.emphasis = { focus: 'none', scale: 1.2 };
        s.z = 3;
        if (s.data.length > 2000) { s.sampling = 'lttb'; s.showSymbol = false; }
      }
    });
    return o;
  }

  // The name of the upright axis stands clear of its labels, whose width is known once they are chosen.
  function keepApart(chart) {
    var axis = chart.getModel().getComponent('yAxis').axis;
    var width = 0;
    axis.getViewLabels().forEach(function (l) { width = Math.max(width, echarts.format.getTextRect(l.formattedLabel, '12px sans-serif').width); });
    chart.setOption({ yAxis: [{ nameGap: Math.round(width) + 16 }], grid: [{ left: 30 }] });
  }

  function draw(figure) {
    var place = figure.querySelector('.tb-plot');
    // A fresh copy each time: ECharts keeps what it is given.
    var data = JSON.parse(figure.querySelector('script.tb-data').textContent);
    data.draw = data.draw || {}; data.tips = data.tips || [];
    var look = query.matches && !printing ? dark : light;
    var old = echarts.getInstanceByDom(place);
    if (old) old.dispose();
    var chart = echarts.init(place, null, { renderer: data.points > 4000 ? 'canvas' : 'svg' });
    chart.setOption(prepare(data, look, [place.clientWidth, place.clientHeight]));
    keepApart(chart);
  }

  function all() { return Array.prototype.slice.call(document.querySelectorAll('figure.tb-chart')); }
  function redraw() { all().forEach(draw); }
  redraw();
  var sizes = new ResizeObserver(function (list) {
    list.forEach(function (e) { var c = echarts.getInstanceByDom(e.target); if (c) c.resize(); });
  });
  all().forEach(function (f) { sizes.observe(f.querySelector('.tb-plot')); });
  query.addEventListener('change', redraw);
  window.addEventListener('beforeprint', function () { printing = true; redraw(); });
  window.addEventListener('afterprint', function () { printing = false; redraw(); });
})();
