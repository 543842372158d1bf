package main

import (
	"io"
	"os"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// A screen is standard error, which log lines share with a progress bar at times.
type screen struct {
	io.Writer
	bar atomic.Pointer[progress]
}

func (s *screen) Write(lines []byte) (int, error) {
	if bar := s.bar.Load(); bar != nil {
		return bar.Write(lines)
	}
	return s.Writer.Write(lines)
}

// logger returns the human's and the machine's view of what goes on; it is not
// the audit trail, which has records of its own.
func (c *cli) logger(w *screen) *zap.Logger {
	level, err := zapcore.ParseLevel(c.LogLevel)
	if err != nil { // the grammar allows no other
		level = zapcore.InfoLevel
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.TimeKey, cfg.EncodeTime = "time", zapcore.RFC3339TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(cfg)
	if c.LogFormat == "console" || c.LogFormat == "auto" && isTerminal(w.Writer) {
		cfg.EncodeLevel = zapcore.CapitalLevelEncoder
		cfg.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		encoder = zapcore.NewConsoleEncoder(cfg)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level))
}

// isTerminal reports whether a person looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
