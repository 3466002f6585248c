package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// generated is a block that mpin readme fills in.
var generated = regexp.MustCompile(`(?s)<!-- begin [a-z]+ .*?<!-- end [a-z]+ -->`)

// TestReadmeMatchesTheRecord fills the README in anew: nothing may change.
func TestReadmeMatchesTheRecord(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	old, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	c := &cobra.Command{}
	var stderr bytes.Buffer
	c.SetErr(&stderr)
	filled, err := fillReadme(c, old)
	if err != nil {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("said %q", &stderr)
	}
	if !bytes.Equal(old, filled) {
		t.Error("README.md does not match the newest record: make readme mends it")
	}
	if found := generated.FindAll(old, -1); len(found) < 5 {
		t.Errorf("%d generated blocks", len(found))
	}
}

// TestReadmeLinks follows every link of the README within the repository. One to
// a line of a raw file must lead to the first sample of a row.
func TestReadmeLinks(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{}
	count := 0
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)(?:#L(\d+))?\)`).FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		path := filepath.FromSlash(link[1])
		if link[2] == "" {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
			continue
		}
		if files[path] == nil {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[path] = strings.Split(string(content), "\n")
		}
		line := atoi(t, link[2])
		if line < 2 || line > len(files[path]) || !strings.HasPrefix(files[path][line-1], "Benchmark") || strings.HasPrefix(files[path][line-2], "Benchmark") {
			t.Errorf("%s: line %d does not begin a row", path, line)
		}
		count++
	}
	if count == 0 {
		t.Error("no number links to its row")
	}
}

func atoi(t *testing.T, s string) (n int) {
	t.Helper()
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}

// TestReadmeMeasuresNothingElse looks for measurements outside the generated
// blocks, where no record stands behind them.
func TestReadmeMeasuresNothingElse(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(generated.ReplaceAllString(string(readme), ""), "")
	measurement := regexp.MustCompile(`\d[\s\x{202f}\x{a0}]*(µs|us|ms|ns|%|per\s?cent|times|MiB|MB|KB|seconds|minutes|(logins|verifications)?\s*a second)\b`)
	for _, found := range measurement.FindAllString(prose, -1) {
		t.Errorf("%q is a measurement", found)
	}
	for _, example := range []string{"180 µs", "1\u202f188 a second", "2.6 times", "about 20 minutes"} {
		if !measurement.MatchString(example) {
			t.Errorf("%q is not noticed", example)
		}
	}
}
