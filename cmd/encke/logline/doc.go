// Package logline keeps logging from becoming a fault of its own: nobody can make the
// log grow faster than the operator allows, put long texts into it, or stop the proxy
// by not reading it. It imports nothing of ours.
//
//	w := logline.NewWriter(os.Stderr)
//	defer w.Close()
//	log := slog.New(logline.NewHandler(slog.NewTextHandler(w, nil), logline.Options{Writer: w}))
package logline
