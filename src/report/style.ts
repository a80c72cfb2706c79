import { styleText } from 'node:util'

/** What a piece of text means; how it looks follows from that. */
export type Meaning = 'good' | 'bad' | 'warning' | 'quiet' | 'strong'

const FORMATS: Readonly<Record<Meaning, Parameters<typeof styleText>[0]>> = {
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  quiet: 'dim',
  strong: 'bold'
}

/** Where text goes. */
export interface TextSink {
  write(text: string): void
  /** Whether it shows colours. */
  readonly colours: boolean
}

/** A sink over a stream such as stdout; colours follow the terminal, NO_COLOR and FORCE_COLOR. */
export function streamSink(stream: NodeJS.WriteStream): TextSink {
  const plain = styleText('red', 'x', { stream, validateStream: true }) === 'x'
  return { write: (text) => void stream.write(text), colours: !plain }
}

/** Text as it means something. */
export function paint(sink: TextSink, meaning: Meaning, text: string): string {
  return sink.colours ? styleText(FORMATS[meaning], text, { validateStream: false }) : text
}
