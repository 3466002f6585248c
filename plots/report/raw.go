package report

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mpinlab/bench"
)

// rawFile is a result file beside the page, with a page of its own that has an
// anchor for each line.
type rawFile struct {
	// page is the name of that page, "" where there is no file.
	page string
	// lines gives the first line of each row's samples, from 1 on, by the row's
	// anchor.
	lines map[string]int
}

// rawFiles are those that there are, by name.
type rawFiles map[string]rawFile

// writeRaw writes the pages of the result files in dir that the report is about,
// and takes away those of an older report.
func writeRaw(dir string, in *Input) (rawFiles, error) {
	files := make(rawFiles)
	for name, there := range map[string]bool{benchFile: true, sweepsFile: in.Sweeps != nil, costsFile: in.Costs != nil} {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || !there {
			if err := os.Remove(path + ".html"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("report: cannot remove %s.html, which is of an older report: %w; remove it yourself", path, pathless(err))
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("report: cannot read %s: %w", path, pathless(err))
		}
		files[name] = rawFile{page: name + ".html", lines: firstLines(content)}
		if err := writeFile(path+".html", rawPage(name, content)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// forms are the names of a result file and of its page.
func (f rawFiles) forms(name string) []string {
	if f[name].page == "" {
		return []string{name}
	}
	return []string{name, f[name].page}
}

// firstLines finds the first line of each row in a file of the Go benchmark
// format.
func firstLines(content []byte) map[string]int {
	lines := make(map[string]int)
	for i, line := range strings.Split(string(content), "\n") {
		name, _, _ := strings.Cut(line, " ")
		k, err := bench.ParseKey(name)
		if a := anchor(k); err == nil && lines[a] == 0 {
			lines[a] = i + 1
		}
	}
	return lines
}

// link is where the samples of a row are, "" if that is not known.
func (f rawFile) link(k bench.Key) string {
	if line := f.lines[anchor(k)]; line > 0 && f.page != "" {
		return f.page + "#L" + strconv.Itoa(line)
	}
	return ""
}

const rawHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>%[1]s, line by line</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
body { margin: 1rem; font: 1rem/1.5 system-ui, "Liberation Sans", Arial, sans-serif; }
pre { font: .82rem/1.45 ui-monospace, "Liberation Mono", Consolas, monospace; overflow-x: auto; }
pre a { display: inline-block; width: 4.5em; padding-right: 1em; text-align: right; text-decoration: none; opacity: .6; color: inherit; }
span:target { background: #ffe08a; color: #000; }
span { scroll-margin-top: 4rem; }
</style>
</head>
<body>
<p><a href="%[1]s">%[1]s</a> line by line; <a href="index.html">back to the report</a>. The lines of a row follow each other, one a sample.</p>
<pre>
`

// rawPage shows a file with the numbers of its lines.
func rawPage(name string, content []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, rawHead, html.EscapeString(name))
	for i, line := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		fmt.Fprintf(&b, "<span id=\"L%[1]d\"><a href=\"#L%[1]d\">%[1]d</a>%[2]s</span>\n", i+1, html.EscapeString(strings.ToValidUTF8(line, "\ufffd")))
	}
	b.WriteString("</pre>\n</body>\n</html>\n")
	return b.Bytes()
}
