package report

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"mpinlab/bench"
)

// A number in a text is cited: it stands between marks with the anchor of the
// row that it is from, so that the same text can be shown plain, on the page
// and in Markdown. The marks are of Unicode's private use.
const (
	citeOpen   = "\ue000"
	citeMiddle = "\ue001"
	citeClose  = "\ue002"
)

var citation = regexp.MustCompile(citeOpen + "([^" + citeMiddle + "]*)" + citeMiddle + "([^" + citeClose + "]*)" + citeClose)

// cite marks words as being from a row.
func cite(row *bench.Row, words string) string {
	return citeOpen + anchor(row.Key) + citeMiddle + words + citeClose
}

// plain takes the marks out.
func plain(s string) string { return citation.ReplaceAllString(s, "$2") }

// linked makes links to the rows' places on the page of the marks.
func linked(s string) template.HTML {
	return template.HTML(citation.ReplaceAllString(template.HTMLEscapeString(s), `<a href="#$1">$2</a>`))
}

// markdown makes links of the marks, to where target says that the row with
// this anchor is; "" is no link.
func markdown(s string, target func(anchor string) string) string {
	return citation.ReplaceAllStringFunc(s, func(c string) string {
		part := citation.FindStringSubmatch(c)
		if to := target(part[1]); to != "" {
			return "[" + part[2] + "](" + to + ")"
		}
		return part[2]
	})
}

// anchor names a row's place on the page: the parts of its key without their
// names, as in "ServerVerify.rfc9380.bls12-381.gnark.protocol".
func anchor(k bench.Key) string {
	parts := []string{k.Op}
	if k.NName != "" {
		parts = append(parts, k.NName+strconv.Itoa(k.N))
	}
	for _, p := range []string{k.Suite, k.Curve, k.Backend, k.Via} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if k.Procs > 1 {
		parts = append(parts, strconv.Itoa(k.Procs)+"cores")
	}
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", c) {
			return c
		}
		return '_'
	}, strings.Join(parts, "."))
}
