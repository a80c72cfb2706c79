import {
  forbiddenError,
  indexPath,
  invalidError,
  labelKeyProblems,
  labelValueProblems,
  notSupportedError,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapsOf, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'
import { validateLabels } from './meta-validation.ts'

/**
 * Validates a meta/v1 LabelSelector.
 * @param selector - the selector
 * @param path - where it is
 */
export function validateLabelSelector(selector: JsonMap, path: string): Findings {
  return joined(
    validateLabels(selector['matchLabels'], `${path}.matchLabels`),
    errorsOfEach(mapsOf(selector['matchExpressions']), (expression, index) =>
      expressionErrors(expression, indexPath(`${path}.matchExpressions`, index))
    )
  )
}

function expressionErrors(expression: JsonMap, path: string): Findings {
  const key = textOf(expression['key'])
  const operator = textOf(expression['operator'])
  const values = Array.isArray(expression['values']) ? expression['values'].map(String) : []
  const errors: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(requiredError(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(
        forbiddenError(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      )
    }
  } else {
    errors.push(invalidError(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  errors.push(...problemErrors(`${path}.key`, key, labelKeyProblems(key)))
  for (const [index, value] of values.entries()) {
    errors.push(...problemErrors(indexPath(`${path}.values`, index), value, labelValueProblems(value)))
  }
  return errors
}

/**
 * An error when a text is not one of a list; empty texts are missing.
 * @param value - the text
 * @param supported - accepted values, in the order printed
 * @param path - where it is
 */
export function enumErrors(value: unknown, supported: readonly string[], path: string): Findings {
  if (value === undefined || value === null || value === '') return [requiredError(path)]
  return supported.includes(String(value)) ? NO_ERRORS : [notSupportedError(path, value, supported)]
}
