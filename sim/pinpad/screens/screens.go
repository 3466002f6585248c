// Package screens holds what the browser tests of the PIN pad recorded: pictures
// of its screens, and figures.txt with what visits and logins cost, in the Go
// benchmark format. `make screens` takes them anew.
package screens

import "embed"

// Files are the pictures, NN-what-device-colours.png, and figures.txt.
//
//go:embed *.png figures.txt
var Files embed.FS
