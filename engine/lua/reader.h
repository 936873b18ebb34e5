/* A reader is what engine.capture.open gives and lines:pull takes. */
#ifndef MB_READER_H
#define MB_READER_H

#define MB_READER_TYPE "moonboot.capture"

#endif
