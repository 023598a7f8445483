//! Rule files: what is not refused can be tested, and can classify anything.
#![no_main]

use ebbline::rules::{Classifier, NoFields, RuleSet, Verdict, self_test};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let rules = match RuleSet::empty().with_file("fuzz.toml", text) {
        Ok(rules) => rules,
        Err(error) => {
            // An error's last line is the remedy.
            assert!(error.to_string().contains('\n'), "{error}");
            return;
        }
    };
    self_test(&rules);
    let samples: Vec<Vec<u8>> = rules
        .rules()
        .iter()
        .flat_map(|rule| rule.samples.iter().chain(&rule.rejects))
        .map(|sample| sample.clone().into_bytes())
        .chain([bytes.to_vec(), Vec::new(), b"GET / HTTP/1.1\" 503 pool timed out".to_vec()])
        .collect();
    let classifier = Classifier::new(rules);
    for message in &samples {
        // What the message alone decides, no field changes.
        let rule = classifier.classify(message, &NoFields);
        match classifier.classify_message(message) {
            Verdict::NoRule => assert_eq!(rule, None),
            Verdict::Rule(decided) => assert_eq!(rule, Some(decided)),
            Verdict::Fields => {}
        }
    }
});
