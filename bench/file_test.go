package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

var sampleKey = Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bls12-381", Backend: "gnark", Via: "protocol", Procs: 1}

func sampleResults() *Results {
	batch := sampleKey
	batch.Op, batch.NName, batch.N, batch.Procs = "ServerVerifyBatch", "n", 1024, 16
	r := &Results{
		Environment: []Setting{
			{"goos", "linux"}, {"commit", "3265ae8"}, {"cpu", "Intel(R) Xeon(R) Processor @ 2.60GHz: 2"},
			{"module/github.com/!burnt!sushi/toml", "v1.0.0"}, {"date", "2026-11-01T12:00:00Z"}, {"note", "5 % more"},
		},
		Warnings: []string{"busy: the load average was 1.52", "budget: stopped after 2 of 10 rounds"},
		Rows: []Row{
			{Key: sampleKey, Samples: []float64{994123.25, 1e6}, Counts: []int{64, 32}, BytesSamples: []float64{5120, 5120.5}, AllocsSamples: []float64{12, 12}, Warnings: []string{"memory: the collector ran"}},
			{Key: batch, Samples: []float64{66000, 0.001}, Counts: []int{1024, 1024}},
		},
	}
	Summarise(r)
	return r
}

const sampleFile = `goos: linux
# commit: 3265ae8
cpu: Intel(R) Xeon(R) Processor @ 2.60GHz: 2
# module/github.com/!burnt!sushi/toml: v1.0.0
# date: 2026-11-01T12:00:00Z
note: 5 % more
# warning: busy: the load average was 1.52
# warning: budget: stopped after 2 of 10 rounds

# warning BenchmarkServerVerify/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-1: memory: the collector ran
# warning BenchmarkServerVerify/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-1: samples: 2, too few for a 95 % interval
BenchmarkServerVerify/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-1 64 994123.25 ns/op 5120 B/op 12 allocs/op
BenchmarkServerVerify/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-1 32 1e+06 ns/op 5120.5 B/op 12 allocs/op

# warning BenchmarkServerVerifyBatch/n=1024/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-16: samples: 2, too few for a 95 % interval
BenchmarkServerVerifyBatch/n=1024/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-16 1024 66000 ns/op
BenchmarkServerVerifyBatch/n=1024/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-16 1024 0.001 ns/op
`

func TestWrite(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, sampleResults()); err != nil {
		t.Fatal(err)
	}
	if b.String() != sampleFile {
		t.Errorf("wrote\n%s\nexpected\n%s", b.String(), sampleFile)
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	r, err := Read(strings.NewReader(sampleFile), "x.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := sampleResults(); !reflect.DeepEqual(r, want) {
		t.Errorf("read\n%+v\nexpected\n%+v", r, want)
	}
}

// What is left for benchstat to make tables of must not differ between runs.
func TestConfigurationIsTheSameInEveryRun(t *testing.T) {
	r := benchfmt.NewReader(strings.NewReader(sampleFile), "x.txt")
	if !r.Scan() {
		t.Fatal("no result")
	}
	result, ok := r.Result().(*benchfmt.Result)
	if !ok {
		t.Fatal(r.Result())
	}
	var keys []string
	for _, c := range result.Config {
		keys = append(keys, c.Key)
	}
	if !slices.Equal(keys, []string{"goos", "cpu", "note"}) {
		t.Errorf("configuration %q", keys)
	}
}

func TestReadAcceptsOthersLines(t *testing.T) {
	in := "goos: linux\r\ncommit: abc  \n\n=== RUN\n# a remark\n# warning about nothing\n" +
		"Unit ns/op better=lower\n" +
		"BenchmarkA/via=direct-1\n" +
		"BenchmarkA/via=direct-1  \t  10\t 5.5 ns/op\n" +
		"BenchmarkB/via=direct-1  \t  10\t 0 ns/op\t 1 B/op\t 1 allocs/op\n" +
		"BenchmarkA/via=direct-1  \t  20\t 6.5 ns/op\nPASS\nok  \tmpinlab/bench\t1.2s\n"
	r, err := Read(strings.NewReader(in), "x.txt")
	if err != nil {
		t.Fatal(err)
	}
	if r.Get("goos") != "linux" || r.Get("commit") != "abc" || len(r.Rows) != 2 ||
		!slices.Equal(r.Rows[0].Samples, []float64{5.5, 6.5}) || !slices.Equal(r.Rows[0].Counts, []int{10, 20}) {
		t.Errorf("%+v", r)
	}
}

func TestReadRefuses(t *testing.T) {
	const name = "BenchmarkA/curve=bn254/backend=x/via=direct-1"
	good := name + " 10 5 ns/op\n"
	for title, c := range map[string]struct{ in, want string }{
		"an empty file":             {"", "x.txt: no benchmark results"},
		"no results":                {"goos: linux\nPASS\n", "x.txt: no benchmark results"},
		"a long line":               {good + "#" + strings.Repeat("x", maxLine) + "\n", "x.txt:2: longer than 32768 bytes"},
		"a long name":               {"BenchmarkA/curve=" + strings.Repeat("x", 2000) + "-1 10 5 ns/op\n", "x.txt:1: "},
		"NaN":                       {good + name + " 10 NaN ns/op\n", "x.txt:2: NaN ns/op is out of range"},
		"infinity":                  {name + " 10 +Inf ns/op\n", "x.txt:1: +Inf ns/op is out of range"},
		"an overflow":               {name + " 10 1e999 ns/op\n", "x.txt:1: "},
		"a negative time":           {name + " 10 -5 ns/op\n", "x.txt:1: -5 ns/op is out of range"},
		"minus zero":                {name + " 10 -0.0 ns/op\n", "x.txt:1: -0 ns/op is out of range"},
		"absurd time":               {name + " 10 1e16 ns/op\n", "x.txt:1: 1e+16 ns/op is out of range"},
		"NaN bytes":                 {name + " 10 1 ns/op nan B/op 1 allocs/op\n", "x.txt:1: NaN B/op is out of range"},
		"a count of zero":           {name + " 0 5 ns/op\n", "x.txt:1: iteration count 0"},
		"a negative count":          {name + " -1 5 ns/op\n", "x.txt:1: iteration count -1"},
		"a huge count":              {name + " 1000000000001 5 ns/op\n", "x.txt:1: iteration count"},
		"a count beyond integers":   {name + " 99999999999999999999 5 ns/op\n", "x.txt:1: parsing iteration count"},
		"no count":                  {name + " five ns/op\n", "x.txt:1: parsing iteration count"},
		"no measurement":            {name + " 10\n", "x.txt:1: missing measurements"},
		"no unit":                   {name + " 10 5\n", "x.txt:1: missing units"},
		"another unit":              {name + " 10 5 MB/s\n", "x.txt:1: unit \"MB/s\""},
		"seconds":                   {name + " 10 5 sec/op\n", "x.txt:1: unit \"sec/op\""},
		"a unit twice":              {name + " 10 5 ns/op 5 ns/op 5 ns/op\n", "x.txt:1: unit \"ns/op\""},
		"a unit too many":           {name + " 10 5 ns/op 5 B/op 5 allocs/op 5 ns/op\n", "x.txt:1: units"},
		"units that change":         {good + name + " 10 5 ns/op 5 B/op 5 allocs/op\n", "x.txt:2: other units"},
		"no processors":             {"BenchmarkA/via=direct 10 5 ns/op\n", "x.txt:1: benchmark name"},
		"a setting that changes":    {"cpu: a\n" + good + "cpu: b\n" + good, "x.txt:4: the setting \"cpu\" changes"},
		"a date that changes":       {"# date: a\n" + good + "# date: b\n" + good, "x.txt:4: the setting \"date\" changes"},
		"a setting that comes late": {"cpu: a\n" + good + "goos: b\n" + good, "x.txt:4: the setting \"goos\" changes"},
		"a setting taken back":      {"cpu: a\ngoos: c\n" + good + "goos:\n" + good, "x.txt:5: a setting is taken back"},
		"a terminal's control text": {"cpu: a\x1b[2Jb\n" + good, "x.txt:2: setting cpu"},
		"a warning of nowhere":      {"# warning BenchmarkB/via=direct-1: x\n" + good, "x.txt:1: a warning about a row"},
		"a warning of a bad name":   {"# warning BenchmarkB: x\n" + good, "x.txt:1: benchmark name"},
		"too many settings":         {manySettings(maxConfig+1) + good, fmt.Sprintf("x.txt:%d: more than", maxConfig+2)},
	} {
		r, err := Read(strings.NewReader(c.in), "x.txt")
		if err == nil || r != nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected %q", title, err, c.want)
		}
	}
}

func manySettings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%d: x\n", i)
	}
	return b.String()
}

func TestReadBounds(t *testing.T) {
	var b strings.Builder
	for i := range maxRows + 1 {
		fmt.Fprintf(&b, "BenchmarkA/n=%d-1 1 1 ns/op\n", i)
	}
	if _, err := Read(strings.NewReader(b.String()), "x.txt"); err == nil || !strings.Contains(err.Error(), "x.txt:10001: more than 10000 rows") {
		t.Errorf("error %v", err)
	}
	if _, err := Read(endless{}, "x.txt"); err == nil || err.Error() != "x.txt: larger than 32 MiB" {
		t.Errorf("error %v", err)
	}
}

// endless is a file of blank lines.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestWriteRefuses(t *testing.T) {
	for title, change := range map[string]func(*Results){
		"no rows":              func(r *Results) { r.Rows = nil },
		"no samples":           func(r *Results) { r.Rows[0].Samples = nil },
		"no counts":            func(r *Results) { r.Rows[0].Counts = nil },
		"a zero count":         func(r *Results) { r.Rows[0].Counts[1] = 0 },
		"bytes missing":        func(r *Results) { r.Rows[0].BytesSamples = nil },
		"a sample too few":     func(r *Results) { r.Rows[0].AllocsSamples = r.Rows[0].AllocsSamples[1:] },
		"NaN":                  func(r *Results) { r.Rows[1].Samples[0] = math.NaN() },
		"infinity":             func(r *Results) { r.Rows[0].BytesSamples[0] = math.Inf(1) },
		"a bad name":           func(r *Results) { r.Rows[0].Key.Backend = "a b" },
		"a lost name":          func(r *Results) { r.Rows[0].Key.N = 3 },
		"a row twice":          func(r *Results) { r.Rows[1].Key = r.Rows[0].Key },
		"a setting twice":      func(r *Results) { r.Environment[1].Key = "goos" },
		"a bad setting":        func(r *Results) { r.Environment[1].Key = "Commit" },
		"an empty setting":     func(r *Results) { r.Environment[1].Value = "" },
		"a setting of 2 lines": func(r *Results) { r.Environment[1].Value = "a\nBenchmarkX-1 1 1 ns/op" },
	} {
		r := sampleResults()
		change(r)
		var b bytes.Buffer
		if err := Write(&b, r); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v, wrote %d bytes", title, err, b.Len())
		}
	}
}

func TestWarningsStayOnTheirLine(t *testing.T) {
	r := sampleResults()
	r.Warnings = []string{"panic: no\nBenchmarkX/via=direct-1 1 1 ns/op"}
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	back, err := Read(&b, "x.txt")
	if err != nil || len(back.Rows) != 2 || back.Warnings[0] != "panic: no BenchmarkX/via=direct-1 1 1 ns/op" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "results.txt")
	for range 2 { // the second time over the first
		if err := WriteFile(path, sampleResults()); err != nil {
			t.Fatal(err)
		}
		r, err := ReadFile(path)
		if err != nil || !reflect.DeepEqual(r, sampleResults()) {
			t.Fatalf("%+v, %v", r, err)
		}
	}

	bad := sampleResults()
	bad.Rows[1].Samples[0] = math.NaN()
	if err := WriteFile(path, bad); err == nil {
		t.Error("NaN was written")
	}
	if data, _ := os.ReadFile(path); string(data) != sampleFile {
		t.Error("a failed write changed the file")
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("files left behind: %v", files)
	}

	if err := WriteFile(folder, sampleResults()); err == nil || !strings.HasSuffix(err.Error(), "it is a folder") {
		t.Errorf("writing to a folder: %v", err)
	}
	missing := filepath.Join(folder, "nowhere", "x.txt")
	if err := WriteFile(missing, sampleResults()); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "nowhere") != 1 {
		t.Errorf("writing into a missing folder: %v", err)
	}
	if _, err := ReadFile(missing); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "nowhere") != 1 {
		t.Errorf("reading a missing file: %v", err)
	}
	if _, err := ReadFile(folder); err == nil {
		t.Error("a folder was read")
	}
}

func TestWriteFileThroughLinksAndPipes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need privileges")
	}
	folder := t.TempDir()
	path, link := filepath.Join(folder, "results.txt"), filepath.Join(folder, "link.txt")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, sampleResults()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o640 || info.Size() != int64(len(sampleFile)) {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if err := WriteFile(os.DevNull, sampleResults()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the null device was replaced: %v, %v", info, err)
	}
}
