import { unmarshal, type JsonType } from '../../../lib/golang/index.ts'
import { StepFailed } from '../failure.ts'
import { NoValues, type Answered } from './provider.ts'

/** The decoded body of an answer. @throws StepFailed with Go's error and the body */
export function decodedAnswer(body: string, type: JsonType): unknown {
  const result = unmarshal(body, type)
  if (!result.ok) throw new StepFailed(`error unmarshaling result: ${result.error}, '${body}'`)
  return result.value
}

/** An answer that has no value where one belongs. */
export function withoutValue({ body }: Answered): NoValues {
  return new NoValues(`invalid response: ${body}: no values found`)
}
