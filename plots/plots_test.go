package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/recorder"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots/internal/plotstest"
)

var excluded = map[string]string{
	"reference/bls12-381": "plain big-integer arithmetic",
	"reference/bn254cx":   "plain big-integer arithmetic",
	"reference/bn254n":    "plain big-integer arithmetic",
}

// sizes are those of the default dialect on every curve, and of one more.
func sizes() []SizeRow {
	var rows []SizeRow
	for _, c := range backends.Curves() {
		p := c.Params()
		g1, g2, g1c, g2c := p.G1Bytes, p.G2Bytes, p.G1CompressedBytes, p.G2CompressedBytes
		rows = append(rows, SizeRow{Suite: "rfc9380", Curve: p.ID,
			Full:       ByteSizes{Token: g1, ClientSecret: g1, ServerSecret: g2, U: g1, V: g1},
			Compressed: ByteSizes{Token: g1c, ClientSecret: g1c, ServerSecret: g2c, U: g1c, V: g1c}})
	}
	long := ByteSizes{Token: 97, ClientSecret: 97, ServerSecret: 192, U: 97, V: 97}
	return append(rows, SizeRow{Suite: "milagro", Curve: "bls12-381", Full: long},
		SizeRow{Suite: "miracl-core", Curve: "bls12-381", Full: long})
}

var widths = map[string]vg.Length{"page": Page, "column": Column}

// eachFigure runs f on every figure of every case at both widths.
func eachFigure(t *testing.T, f func(t *testing.T, figure *Figure, width vg.Length)) {
	for name, results := range plotstest.Cases() {
		figures, _ := All(&Data{Results: results, Excluded: excluded, Sizes: sizes()})
		for _, figure := range figures {
			for form, width := range widths {
				t.Run(name+"/"+figure.Name+"/"+form, func(t *testing.T) { f(t, figure, width) })
			}
		}
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	eachFigure(t, func(t *testing.T, figure *Figure, width vg.Length) {
		svg, err := figure.SVG(width)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if text, ok := token.(xml.CharData); ok && strings.Contains(string(text), "NaN") {
				t.Errorf("text %q", text)
			}
		}
		for _, bad := range []string{"NaN", "Inf", "%!", "<nil>"} {
			if bytes.Contains(svg, []byte(bad)) {
				t.Errorf("the SVG contains %q", bad)
			}
		}
	})
}

// Every line of text is as wide on any machine as the layout took it to be.
func TestSVGFitsText(t *testing.T) {
	eachFigure(t, func(t *testing.T, figure *Figure, width vg.Length) {
		svg, err := figure.SVG(width)
		if err != nil {
			t.Fatal(err)
		}
		var drawn struct {
			Texts []struct {
				Style  string  `xml:"style,attr"`
				Length float64 `xml:"textLength,attr"`
				Words  string  `xml:",chardata"`
			} `xml:"text"`
		}
		// The drawing is in groups; what matters here are its texts.
		svg = regexp.MustCompile(`</?g( [^>]*)?>`).ReplaceAll(svg, nil)
		if err := xml.Unmarshal(svg, &drawn); err != nil {
			t.Fatal(err)
		}
		if len(drawn.Texts) == 0 {
			t.Fatal("no text")
		}
		size := regexp.MustCompile(`font-size:([\d.]+)px`)
		for _, text := range drawn.Texts {
			points, _ := strconv.ParseFloat(size.FindStringSubmatch(text.Style)[1], 64)
			face := typeface{size: points, bold: strings.Contains(text.Style, "bold")}
			if want := face.width(text.Words).Points(); math.Abs(text.Length-want) > 0.1 {
				t.Errorf("%q is %v wide, want %v", text.Words, text.Length, want)
			}
		}
	})
}

// TestWords looks at what is said beside the drawings.
func TestWords(t *testing.T) {
	eachFigure(t, func(t *testing.T, figure *Figure, width vg.Length) {
		for what, words := range map[string]string{"title": figure.Title, "caption": figure.Caption, "alt": figure.Alt} {
			if words == "" || strings.Contains(words, "NaN") || strings.Contains(words, "%!") || strings.Contains(words, "  ") {
				t.Errorf("%s is %q", what, words)
			}
		}
	})
}

func TestSameDataSameBytes(t *testing.T) {
	data := func() *Data { return &Data{Results: plotstest.Full(12), Excluded: excluded, Sizes: sizes()} }
	first, _ := All(data())
	second, _ := All(data())
	for i := range first {
		a, _ := first[i].SVG(Page)
		b, _ := second[i].SVG(Page)
		if !bytes.Equal(a, b) || first[i].Caption != second[i].Caption || first[i].Alt != second[i].Alt {
			t.Errorf("%s differs", first[i].Name)
		}
	}
}

func TestPNGHas300DotsAnInch(t *testing.T) {
	figure, err := Throughput(&Data{Results: plotstest.Full(6)})
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := figure.PNG(Column)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(drawn))
	if err != nil || picture.Width != 1050 { // 3.5 inches
		t.Errorf("width %d, %v", picture.Width, err)
	}
}

func TestNothingToDraw(t *testing.T) {
	for name, results := range map[string]*bench.Results{"nil": nil, "empty": {}} {
		figures, omitted := All(&Data{Results: results})
		if len(figures) != 0 || len(omitted) != 10 {
			t.Errorf("%s: %d figures, %d omitted", name, len(figures), len(omitted))
		}
		for _, o := range omitted {
			if o.Title == "" || !strings.Contains(o.Reason, "no ") {
				t.Errorf("%s: %+v", name, o)
			}
		}
	}
	if _, err := Pairing(&Data{}); !errors.Is(err, ErrNoData) {
		t.Errorf("error %v", err)
	}
}

// textBox is a piece of text as it was drawn.
type textBox struct {
	text string
	at   vg.Rectangle
}

// textBoxes draws a figure on paper that remembers.
func textBoxes(figure *Figure, width vg.Length) (boxes []textBox, height vg.Length) {
	var paper recorder.Canvas
	s := figure.layout(width)
	height = s.height()
	s.draw(&paper, height)
	for _, action := range paper.Actions {
		if t, ok := action.(*recorder.FillString); ok {
			look := typeface{size: float64(t.Font.Size), bold: t.Font.Weight != 0}
			w, h := look.width(t.String), vg.Length(look.size*capHeight)
			boxes = append(boxes, textBox{t.String, box(t.Point.X, t.Point.Y, t.Point.X+w, t.Point.Y+h)})
		}
	}
	return boxes, height
}

// TestTextStaysApart is what an editor would look for first: text that is cut
// off, and text on text.
func TestTextStaysApart(t *testing.T) {
	eachFigure(t, func(t *testing.T, figure *Figure, width vg.Length) {
		boxes, height := textBoxes(figure, width)
		if len(boxes) < 5 {
			t.Fatalf("only %d pieces of text", len(boxes))
		}
		sheet := box(0, 0, width, height)
		for i, a := range boxes {
			if outside(a.at, sheet) > 0 {
				t.Errorf("%q leaves the sheet: %v", a.text, a.at)
			}
			for _, b := range boxes[:i] {
				if shared(a.at, b.at) > 0 {
					t.Errorf("%q lies on %q", a.text, b.text)
				}
			}
		}
	})
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		v        float64
		down, up float64
	}{{1, 1, 1}, {1.5, 1, 2}, {3, 2, 5}, {7, 5, 10}, {0.03, 0.02, 0.05}, {1000, 1000, 1000}} {
		if down, up := oneTwoFive(c.v, -1), oneTwoFive(c.v, 1); !near(down, c.down) || !near(up, c.up) {
			t.Errorf("%v: %v and %v, not %v and %v", c.v, down, up, c.down, c.up)
		}
	}
	labels := func(a axis, length vg.Length) string {
		var words []string
		for _, m := range a.ticks(length, smallType.width) {
			if m.label != "" {
				words = append(words, m.label)
			}
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		a      axis
		length vg.Length
		want   string
	}{
		{logAxis(30, 800, ""), 300, "20 50 100 200 500 1\u202f000"},
		{logAxis(30, 800, ""), 60, "100 1\u202f000"},
		{logAxis(5, 5, ""), 300, "5 10"},
		{fromZero(2107, ""), 300, "0 500 1\u202f000 1\u202f500 2\u202f000"},
		{fromZero(2107, ""), 40, "0 2\u202f000"},
		{fromZero(0, ""), 60, "0 0.5 1"},
	} {
		if got := labels(c.a, c.length); got != c.want {
			t.Errorf("labels %q, not %q", got, c.want)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9*math.Abs(b) }

func TestHatchStaysInside(t *testing.T) {
	r := box(10.3, 20.7, 55.1, 29)
	for _, rise := range []int{1, -1} {
		var paper recorder.Canvas
		pen{&paper}.hatch(r, black, 0.5, 3, rise)
		lines := 0
		for _, action := range paper.Actions {
			stroke, ok := action.(*recorder.Stroke)
			if !ok {
				continue
			}
			for _, c := range stroke.Path {
				lines++
				if outside(box(c.Pos.X, c.Pos.Y, c.Pos.X, c.Pos.Y), r) > 1e-9 {
					t.Errorf("rise %d: %v is outside", rise, c.Pos)
				}
			}
		}
		if lines < 20 {
			t.Errorf("rise %d: %d points", rise, lines)
		}
	}
}
