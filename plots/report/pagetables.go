package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"mpinlab/plots/internal/number"
)

// pageTable is a table as the page shows it. The tables' files are made from
// the page itself, so that no table can be without one or differ from it.
type pageTable struct {
	ID, Caption string
	Head        []string
	Rows        [][]string
}

var (
	tableElement = regexp.MustCompile(`(?s)<table[^>]*>.*?</table>`)
	tableID      = regexp.MustCompile(`^<table[^>]* id="([^"]*)"`)
	captionText  = regexp.MustCompile(`(?s)<caption><span>(.*?)</span></caption>`)
	noName       = regexp.MustCompile(`[^a-z0-9]+`)
)

// numberTables numbers the tables of a page in their order and gives each an
// anchor and a link to its file. A table's anchor is its id, or else made of
// its caption.
func numberTables(page string) (string, []pageTable, error) {
	var tables []pageTable
	var failed error
	page = tableElement.ReplaceAllStringFunc(page, func(source string) string {
		t, err := parseTable(source)
		if err != nil {
			failed = err
			return source
		}
		if id := tableID.FindStringSubmatch(source); id != nil {
			t.ID = html.UnescapeString(id[1])
		} else {
			t.ID = "table-" + strings.Trim(noName.ReplaceAllString(strings.ToLower(t.Caption), "-"), "-")
			source = strings.Replace(source, "<table", `<table id="`+t.ID+`"`, 1)
		}
		tables = append(tables, t)
		n := len(tables)
		return captionText.ReplaceAllStringFunc(source, func(c string) string {
			words := captionText.FindStringSubmatch(c)[1]
			return fmt.Sprintf(`<caption><span><strong>Table %d.</strong> %s <a class="data" href="%s">CSV</a></span></caption>`, n, words, t.file())
		})
	})
	return page, tables, failed
}

// file is where the table is as CSV, from the page.
func (t *pageTable) file() string { return "tables/" + t.ID + ".csv" }

// parseTable reads what html/template has written.
func parseTable(source string) (t pageTable, err error) {
	d := xml.NewDecoder(strings.NewReader(source))
	d.Strict, d.AutoClose, d.Entity = false, append([]string{"wbr"}, xml.HTMLAutoClose...), xml.HTMLEntity
	var text strings.Builder
	var row []string
	heading, notes := false, 0 // within thead; within references to notes
	for {
		token, err := d.Token()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("report: a table that cannot be read: %w", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "thead":
				heading = true
			case "sup":
				notes++
			case "caption", "th", "td":
				text.Reset()
			case "tr":
				row = nil
			}
		case xml.EndElement:
			switch x.Name.Local {
			case "thead":
				heading = false
			case "sup":
				notes--
			case "caption":
				t.Caption = words(text.String())
			case "th", "td":
				row = append(row, words(text.String()))
			case "tr":
				if heading {
					t.Head = row
				} else {
					t.Rows = append(t.Rows, row)
				}
			}
		case xml.CharData:
			if notes == 0 {
				text.Write(x)
			}
		}
	}
}

func words(s string) string { return strings.TrimSpace(s) }

var thinGroups = regexp.MustCompile(`(\d)` + number.Thin + `(\d)`)

// csv writes the table with its headings. Numbers are as the page shows them,
// without the blanks that group their digits.
func (t *pageTable) csv() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		cells := make([]string, len(row))
		for i, c := range row {
			if c != number.None {
				cells[i] = strings.ReplaceAll(thinGroups.ReplaceAllString(c, "$1$2"), number.Thin, " ")
			}
		}
		w.Write(cells)
	}
	w.Flush() // into memory: it cannot fail
	return b.Bytes()
}

// writeTables writes the tables' files and takes away those of an older report.
func writeTables(dir string, tables []pageTable) error {
	folder := filepath.Join(dir, "tables")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("report: cannot make the folder %s: %w; choose another one", folder, pathless(err))
	}
	keep := map[string]bool{}
	for i := range tables {
		path := filepath.Join(dir, filepath.FromSlash(tables[i].file()))
		keep[path] = true
		if err := writeFile(path, tables[i].csv()); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, path := range old {
		if keep[path] {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", path, pathless(err))
		}
	}
	return nil
}
