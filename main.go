package main

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
)

func main() {
	out := os.Args[1]
	var ims []image.Image
	w, h := 0, 0
	for _, p := range os.Args[2:] {
		f, err := os.Open(p)
		if err != nil {
			continue
		}
		im, err := png.Decode(f)
		if err != nil {
			continue
		}
		ims = append(ims, im)
		w += im.Bounds().Dx() + 10
		h = max(h, im.Bounds().Dy())
	}
	o := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(o, o.Bounds(), image.NewUniform(color.RGBA{200, 60, 60, 255}), image.Point{}, draw.Src)
	x := 0
	for _, im := range ims {
		draw.Draw(o, image.Rect(x, 0, x+im.Bounds().Dx(), im.Bounds().Dy()), im, im.Bounds().Min, draw.Src)
		x += im.Bounds().Dx() + 10
	}
	f, _ := os.Create(out)
	png.Encode(f, o)
	f.Close()
}
