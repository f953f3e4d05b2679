//go:build !race

package rawconn

func sending()  {}
func received() {}
