// Draws every figure of the class tb-chart. All text of the user comes as strings of the JSON beside the figure and goes
// to the page as text nodes; the only functions are the ones here and in draw.js.
(function () {
  'use strict';
  var query = window.matchMedia('(prefers-color-scheme: dark)');
  var printing = false;

  function tip(data) {
    return function (list) {
      list = [].concat(list);
      if (list[0] && list[0].seriesType === 'sankey') {
        var d = list[0].data, flow = document.createElement('div');
        flow.className = 'tb-tip';
        flow.textContent = (list[0].dataType === 'edge' ? d.source + ' → ' + d.target : list[0].name) + ': ' + number(list[0].value);
        return flow;
      }
      list = list.filter(function (p) { return (data.tips[p.seriesIndex] || [])[p.dataIndex]; });
      if (!list.length) return '';
      var box = document.createElement('div');
      box.className = 'tb-tip';
      var head = document.createElement('strong');
      var axis = [].concat(data.option.xAxis || [])[0];
      if (data.option.tooltip && data.option.tooltip.trigger === 'item') {
        head.textContent = list[0].seriesName.indexOf('\u0000') < 0 ? list[0].seriesName : ''; // ECharts names series that have none with a zero
      } else {
        head.textContent = axis.name + ': ' + (axis.type === 'category' ? list[0].axisValueLabel : number(list[0].value[0]));
      }
      if (head.textContent) box.appendChild(head);
      list.forEach(function (p) {
        var row = document.createElement('div'), dot = document.createElement('i'), text = document.createElement('span');
        dot.style.background = p.color;
        text.textContent = (data.option.tooltip.trigger === 'item' ? '' : p.seriesName + ': ') + data.tips[p.seriesIndex][p.dataIndex];
        row.appendChild(dot); row.appendChild(text); box.appendChild(row);
      });
      return box;
    };
  }

  function number(v) { return tunebookDraw.number(v); }

  // The name of the upright axis stands clear of its labels, whose width is known once they are chosen.
  function keepApart(chart) {
    var upright = chart.getModel().getComponent('yAxis');
    if (!upright) return;
    var axis = upright.axis;
    var width = 0;
    if (axis.type === 'category') return;
    axis.getViewLabels().forEach(function (l) { width = Math.max(width, echarts.format.getTextRect(l.formattedLabel, '12px sans-serif').width); });
    chart.setOption({ yAxis: [{ nameGap: Math.round(width) + 16 }], grid: [{ left: 30 }] });
  }

  // A reader saves the picture, and looks closer where there are axes of numbers.
  function tools(figure, option, look) {
    if (printing) return undefined;
    var title = figure.querySelector('figcaption');
    var features = { saveAsImage: { title: 'Save as picture', name: (title ? title.textContent : 'chart').replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60) || 'chart', pixelRatio: 2, backgroundColor: look.ground } };
    if (option.xAxis && [].concat(option.xAxis)[0].type !== 'category') {
      features.dataZoom = { title: { zoom: 'Zoom in', back: 'Zoom back' }, filterMode: 'none', brushStyle: { color: look.rule, opacity: 0.5 } };
      features.restore = { title: 'Show all' };
    }
    return { right: 0, top: 0, itemSize: 13, itemGap: 8, feature: features, iconStyle: { borderColor: look.soft }, emphasis: { iconStyle: { borderColor: look.ink, textFill: look.ink, textBackgroundColor: look.ground } } };
  }

  function draw(figure) {
    var place = figure.querySelector('.tb-plot');
    // A fresh copy each time: ECharts keeps what it is given.
    var data = JSON.parse(figure.querySelector('script.tb-data').textContent);
    data.tips = data.tips || [];
    var scheme = query.matches && !printing ? 'dark' : 'light';
    var look = tunebookDraw.schemes[scheme];
    var old = echarts.getInstanceByDom(place);
    if (old) old.dispose();
    var chart = echarts.init(place, null, { renderer: data.points > 4000 ? 'canvas' : 'svg' });
    var option = tunebookDraw(data, scheme, [place.clientWidth, place.clientHeight]);
    var trigger = (option.tooltip || {}).trigger || 'axis';
    option.tooltip = { trigger: trigger, confine: true, transitionDuration: 0, formatter: tip(data), backgroundColor: look.ground, borderColor: look.rule,
      textStyle: { color: look.ink }, axisPointer: { lineStyle: { color: look.soft } } };
    option.toolbox = tools(figure, option, look);
    if (option.toolbox && place.clientWidth < 640) { // the legend ends where the tools begin; what does not fit is paged
      [].concat(option.legend || []).forEach(function (l) { l.left = 0; l.right = 96; });
    }
    chart.setOption(option);
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
