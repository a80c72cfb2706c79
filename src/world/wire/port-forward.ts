import type { Duplex } from 'node:stream'
import { SpdySession, type SpdyStream } from './spdy-session.ts'

/**
 * Serves `kubectl port-forward` over a SPDY connection: each local connection opens an error and a data stream that
 * share a `requestID`.
 * @see kubernetes v1.32 staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/httpstream.go
 * @param duplex - the upgraded connection
 * @param connect - opens a connection to a port of the pod
 */
export function servePortForward(duplex: Duplex, connect: (port: number) => Promise<Duplex>): void {
  const errorStreams = new Map<string, SpdyStream>()
  const session = new SpdySession(duplex, (stream) => {
    const request = stream.headers.get('requestid') ?? String(stream.id)
    if (stream.headers.get('streamtype') === 'error') {
      errorStreams.set(request, stream)
      return
    }
    const errorStream = errorStreams.get(request)
    errorStreams.delete(request)
    forwardStream(stream, errorStream, connect)
  })
  void session
}

function forwardStream(
  stream: SpdyStream,
  errorStream: SpdyStream | undefined,
  connect: (port: number) => Promise<Duplex>
): void {
  const waiting: Buffer[] = []
  let endedEarly = false
  stream.onData = (chunk) => waiting.push(chunk)
  stream.onEnd = () => {
    endedEarly = true
  }
  connect(Number(stream.headers.get('port'))).then(
    (target) => {
      for (const chunk of waiting) target.write(chunk)
      joinStreams(stream, errorStream, target)
      if (endedEarly) target.end()
    },
    (error: unknown) => {
      errorStream?.write(Buffer.from(error instanceof Error ? error.message : String(error)))
      errorStream?.end()
      stream.end()
    }
  )
}

function joinStreams(stream: SpdyStream, errorStream: SpdyStream | undefined, target: Duplex): void {
  stream.onData = (chunk) => void target.write(chunk)
  stream.onEnd = () => void target.end()
  target.on('data', (chunk: Buffer) => stream.write(chunk))
  const finish = (): void => {
    stream.end()
    errorStream?.end()
  }
  target.on('end', finish)
  target.on('close', finish)
  target.on('error', (error) => {
    errorStream?.write(Buffer.from(error.message))
    finish()
  })
}
