package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"syscall"

	"github.com/credsync/credsync/internal/sink"
)

// sentinels are the errors that leave the package as they are.
var sentinels = []error{
	sink.ErrConflict, sink.ErrForeign, sink.ErrDenied, sink.ErrInvalid, sink.ErrUnavailable,
	context.Canceled, context.DeadlineExceeded,
}

// translate turns the errors of the file system into those of a sink. Their
// paths are left out: the engine knows the name.
func translate(err error) error {
	if err == nil {
		return nil
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return err
		}
	}
	cause := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pe.Err
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		cause = errno
	}
	switch {
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w; under systemd, ReadWritePaths= opens it", sink.ErrDenied, cause)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w by the file system; let this user read and write in dir", sink.ErrDenied)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", sink.ErrDenied, cause)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("%w: %w", sink.ErrInvalid, cause)
	}
	return fmt.Errorf("%w: %w", sink.ErrUnavailable, cause)
}

// status returns the HTTP status nearest to a translated error.
func status(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0
	case errors.Is(err, sink.ErrConflict), errors.Is(err, sink.ErrForeign):
		return http.StatusConflict
	case errors.Is(err, sink.ErrDenied):
		return http.StatusForbidden
	case errors.Is(err, sink.ErrInvalid):
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}
