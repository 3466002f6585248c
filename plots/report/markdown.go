package report

import (
	"bytes"
	"fmt"
	"strings"

	"mpinlab/plots/internal/number"
)

// longTable is the number of rows from which a table is not in the Markdown
// summary but linked.
const longTable = 40

// summaryPage writes the page as Markdown: the answer, each figure with its
// caption and data, and the tables that are not long. Links lead to the page
// and to the files beside it.
func summaryPage(p *page, answer, rule string, figures []figure, tables []pageTable) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", p.Title)
	for _, text := range []string{answer, rule} {
		b.WriteString(markdown(escapeMarkdown(text), func(anchor string) string { return "index.html#" + anchor }) + "\n\n")
	}
	run := joinNonEmpty([]string{p.Machine, p.Date, joinNonEmpty([]string{"made by", p.Command}, " ")}, "; ")
	fmt.Fprintf(&b, "%s. The whole is in [index.html](index.html).\n", escapeMarkdown(run))
	notices := p.Warnings
	if p.Quick {
		notices = append([]string{"This is the quick form of the report. " + p.Precision}, notices...)
	}
	if len(notices) > 0 {
		b.WriteString("\n")
	}
	for _, w := range notices {
		fmt.Fprintf(&b, "> %s\n", escapeMarkdown(w))
	}
	if p.Conformance != nil {
		fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(p.Conformance.Headline))
	}
	b.WriteString("\n## Figures\n")
	for _, f := range figures {
		b.WriteString("\n")
		for _, picture := range f.Pictures {
			fmt.Fprintf(&b, "![%s](%s)\n", escapeMarkdown(f.Title), picture)
		}
		fmt.Fprintf(&b, "\n**Figure %d.** %s %s", f.Number, escapeMarkdown(f.Caption), escapeMarkdown(f.Provenance))
		if f.Data != "" {
			fmt.Fprintf(&b, " Data: [%[1]s](%[1]s).", f.Data)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Tables\n")
	for i := range tables {
		t := &tables[i]
		fmt.Fprintf(&b, "\n**Table %d.** %s ([CSV](%s), [on the page](index.html#%s))\n", i+1, escapeMarkdown(t.Caption), t.file(), t.ID)
		if len(t.Rows) <= longTable {
			b.WriteString("\n")
			t.markdown(&b)
		}
	}
	return b.Bytes()
}

// markdown writes the table's rows.
func (t *pageTable) markdown(b *bytes.Buffer) {
	line := func(cells []string) {
		for i := range t.Head {
			cell := ""
			if i < len(cells) {
				cell = escapeMarkdown(strings.ReplaceAll(strings.Join(strings.FieldsFunc(cells[i], isASCIISpace), " "), number.Thin, "\u00a0"))
			}
			fmt.Fprintf(b, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
		}
		b.WriteString("|\n")
	}
	line(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
}

func isASCIISpace(c rune) bool { return c == ' ' || c == '\n' || c == '\t' }

// escapeMarkdown keeps what would be markup from being taken for it.
var escapeMarkdown = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "]", `\]`).Replace
