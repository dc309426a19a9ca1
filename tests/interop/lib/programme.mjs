// A training programme that began last month and runs for a year.

const day = (months) => {
  const date = new Date();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 10);
};

/** What the draft says about an employee. */
export function programme(employee) {
  return {
    "TPR-Name": "Cardiology",
    "TPR-ProgrammeStartDate": day(-1),
    "TPR-ProgrammeEndDate": day(11),
    "TPR-Origin": "NHS England",
    "TPR-AssurancePolicy": "https://training.example/assurance",
    "TPR-AssuranceOutcome": "Assured",
    "TPR-Provider": "NHS England",
    "TPR-Verifier": "Origin",
    "TPR-VerificationMethod": "Record Verification",
    "TPR-Pedigree": "Authoritative",
    "TPR-LastRefresh": day(0),
    UniqueIdentifier: employee.unique_identifier,
  };
}

/** The same claims as a relying party gets them: as issued, or under the type's name when presented. */
export function among(claims, expected, prefix = "") {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, claims[prefix + name]]));
}
