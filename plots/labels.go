package plots

import (
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
)

// placement is where a point's name goes: its rectangle.
type placement struct{ at vg.Rectangle }

// placeLabels finds places for the names of points so that no name lies on
// another, on a point or on one of the obstacles, within the field. Every name tries places around its
// point, near ones first; the names with the most neighbours choose first. A
// name for which no place is free takes the one that collides least.
func placeLabels(points []vg.Point, names []string, t typeface, field vg.Rectangle, obstacles []vg.Rectangle) []placement {
	const high = smallSize + 1
	taken := append([]vg.Rectangle(nil), obstacles...)
	for _, pt := range points {
		taken = append(taken, around(pt, dotRadius+0.5, dotRadius+0.5))
	}
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	crowd := func(i int) (n int) {
		for _, other := range points {
			if distance(other, points[i]) < 60 {
				n++
			}
		}
		return n
	}
	sort.SliceStable(order, func(i, j int) bool { return crowd(order[i]) > crowd(order[j]) })

	places := make([]placement, len(points))
	for _, i := range order {
		w := t.width(names[i]) + 2
		best, least := vg.Rectangle{}, math.Inf(1)
		for _, c := range candidates(points[i], w, high) {
			cost := c.distance
			cost += 40 * outside(c.at, field)
			for _, r := range taken {
				cost += 40 * shared(c.at, r)
			}
			cost += 60 * float64(crossed(points[i], c.at, points))
			if cost < least {
				best, least = c.at, cost
			}
		}
		places[i] = placement{best}
		taken = append(taken, best)
	}
	return places
}

type candidate struct {
	at       vg.Rectangle
	distance float64
}

// candidates lists rectangles around a point, to its right first.
func candidates(pt vg.Point, w, h vg.Length) []candidate {
	var list []candidate
	for _, out := range []float64{0, 4, 9, 15, 22, 30, 40, 52, 66} {
		for step := range 24 {
			angle := 2 * math.Pi * float64(step) / 24
			cos, sin := math.Cos(angle), math.Sin(angle)
			// The centre of the label lies on an ellipse that keeps its edge
			// off the point.
			x := pt.X + vg.Length(cos)*(w/2+dotRadius+2+vg.Length(out))
			y := pt.Y + vg.Length(sin)*(h/2+dotRadius+1+vg.Length(out))
			turned := (1 - cos) * 3 // the right side is where one looks first
			list = append(list, candidate{around(vg.Point{X: x, Y: y}, w/2, h/2), out + turned})
		}
	}
	return list
}

// draw writes the name, and a line to its point where it is far away.
func (l placement) draw(p pen, pt vg.Point, name string, t typeface) {
	mid := vg.Point{X: (l.at.Min.X + l.at.Max.X) / 2, Y: (l.at.Min.Y + l.at.Max.Y) / 2}
	near := nearest(pt, l.at)
	if distance(near, pt) > dotRadius+4 {
		p.line(faint, 0.5, pt, near)
	}
	p.text(mid.X, mid.Y, name, t, centre)
}

// crossed counts the other points that lie between a point and its name.
func crossed(pt vg.Point, name vg.Rectangle, points []vg.Point) (n int) {
	end := nearest(pt, name)
	length := distance(pt, end)
	for _, other := range points {
		if distance(other, pt) < dotRadius {
			continue // as good as the same point
		}
		along := ((other.X-pt.X)*(end.X-pt.X) + (other.Y-pt.Y)*(end.Y-pt.Y)) / vg.Length(max(length, 1))
		along = max(0, min(vg.Length(length), along))
		part := along / vg.Length(max(length, 1))
		foot := vg.Point{X: pt.X + part*(end.X-pt.X), Y: pt.Y + part*(end.Y-pt.Y)}
		if distance(foot, other) < dotRadius+1 {
			n++
		}
	}
	return n
}

// nearest returns the point of a rectangle that is nearest to pt.
func nearest(pt vg.Point, r vg.Rectangle) vg.Point {
	return vg.Point{X: max(r.Min.X, min(r.Max.X, pt.X)), Y: max(r.Min.Y, min(r.Max.Y, pt.Y))}
}

func distance(a, b vg.Point) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

func around(pt vg.Point, w, h vg.Length) vg.Rectangle {
	return box(pt.X-w, pt.Y-h, pt.X+w, pt.Y+h)
}

// shared returns the area that two rectangles have in common.
func shared(a, b vg.Rectangle) float64 {
	w := min(a.Max.X, b.Max.X) - max(a.Min.X, b.Min.X)
	h := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return float64(w * h)
}

// outside returns how far a rectangle reaches out of the field.
func outside(r, field vg.Rectangle) float64 {
	over := func(v vg.Length) float64 { return math.Max(0, float64(v)) }
	return over(field.Min.X-r.Min.X) + over(r.Max.X-field.Max.X) + over(field.Min.Y-r.Min.Y) + over(r.Max.Y-field.Max.Y)
}
