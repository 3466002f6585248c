package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ErrNoBrowser: there is no program to print with.
var ErrNoBrowser = errors.New("no Chromium was found to make a PDF with; " +
	"install it (Debian: apt-get install chromium; macOS: brew install --cask chromium), or name the program in the environment variable MPIN_BROWSER")

// printing bounds the time of the browser.
const printing = 3 * time.Minute

// Browser finds the program that prints: what MPIN_BROWSER names, or else a
// Chromium or Chrome under one of its usual names. Error: [ErrNoBrowser].
func Browser() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}
	if named := os.Getenv("MPIN_BROWSER"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

// Links to files beside the page, which a PDF has not got: where the name of the
// file matters, and where only the words do.
var (
	dataLink = regexp.MustCompile(`<a class="data" href="([^"]*)">.*?</a>`)
	fileLink = regexp.MustCompile(`<a href="[^#":][^":]*"[^>]*>(.*?)</a>`)
)

// PDF prints the page in the folder of a report as report.pdf beside it and
// returns that path. Links within the page stay links; the names of files stay
// as text. Errors: [ErrNoBrowser], and what the browser says.
func PDF(ctx context.Context, dir string) (string, error) {
	browser, err := Browser()
	if err != nil {
		return "", err
	}
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		return "", fmt.Errorf("report: cannot read the page: %w", err)
	}
	// Everything of the browser's goes into a folder that is taken away. It is
	// not under dir, where others may look for a report's files.
	folder, err := os.MkdirTemp("", "mpin-pdf-")
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	defer os.RemoveAll(folder)
	source, target := filepath.Join(folder, "page.html"), filepath.Join(folder, "page.pdf")
	page = fileLink.ReplaceAll(dataLink.ReplaceAll(page, []byte(`<code>$1</code>`)), []byte("$1"))
	if err := os.WriteFile(source, page, 0o600); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, printing)
	defer cancel()
	arguments := []string{"--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + filepath.Join(folder, "profile"),
		"--no-pdf-header-footer", "--generate-pdf-document-outline", "--print-to-pdf=" + target}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "--no-sandbox") // Chromium refuses root otherwise; the page is our own and has no network
	}
	cmd := exec.CommandContext(ctx, browser, append(arguments, (&url.URL{Scheme: "file", Path: filepath.ToSlash(source)}).String())...)
	cmd.Env = append(os.Environ(), "TMPDIR="+folder)
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	failed := cmd.Run()
	pdf, err := os.ReadFile(target)
	if failed != nil || err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return "", fmt.Errorf("report: %s made no PDF: %w; it said: %s", browser, errors.Join(failed, ctx.Err(), err), lastLines(said.String(), 3))
	}
	path := filepath.Join(dir, "report.pdf")
	return path, writeFile(path, pdf)
}

// lastLines returns the end of what a program said, in one line.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " / ")
}
