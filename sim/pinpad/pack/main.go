// Command pack makes what package pinpad embeds: the client in WebAssembly,
// compressed, and the toolchain's glue code for it. Run it in the module's root,
// or by `make pinpad`; it is reproducible, and a test of pinpad compares.
//
//	go run ./sim/pinpad/pack [-o FOLDER] [-tags TAGS]
//
// With -tags allcurves the page carries every curve that gnark-crypto has, for
// deployments of other suites than bls12-381's.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/andybalholm/brotli"
)

// manifest says what is in the folder.
type manifest struct {
	// Go is the toolchain's version: another one gives other bytes.
	Go   string `json:"go"`
	Tags string `json:"tags,omitempty"`
	// SHA256 of the files, client.wasm before compression.
	SHA256 map[string]string `json:"sha256"`
	// Size of client.wasm in bytes, for a progress bar.
	Size int `json:"size"`
}

func main() {
	folder := flag.String("o", filepath.FromSlash("sim/pinpad/dist"), "the `FOLDER` to write to")
	tags := flag.String("tags", "", "build `TAGS`, such as allcurves")
	flag.Parse()
	if err := pack(*folder, *tags); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(folder, tags string) error {
	temporary, err := os.MkdirTemp("", "mpin-pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	out := filepath.Join(temporary, "client.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags="+tags, "-ldflags=-s -w -buildid=",
		// Inlining is for the field arithmetic and what it is made of; elsewhere it
		// costs 100 kB on the way.
		"-gcflags=std=-l", "-gcflags=mpinlab/...=-l", "-gcflags=math/bits=", "-o", out, "mpinlab/sim/pinpad/wasm")
	// What a user sets for his own builds would show in the bytes.
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GOWORK=off", "GOFIPS140=off")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	m := manifest{Go: runtime.Version(), Tags: tags, Size: len(wasm), SHA256: map[string]string{
		"client.wasm": sum(wasm), "wasm_exec.js": sum(glue),
	}}
	list, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	small, err := compress(wasm)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, b := range map[string][]byte{
		"client.wasm.br": small, "wasm_exec.js": glue, "manifest.json": append(list, '\n'),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("client.wasm: %d bytes, %d compressed\n", len(wasm), len(small))
	return nil
}

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 24})
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
