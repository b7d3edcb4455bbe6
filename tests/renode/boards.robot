*** Comments ***
What the firmware does under Renode. Run by `make test-renode`, which builds the images and hands over IMAGE, PLATFORM,
VECTORS and SAMPLES. Frames are binary (docs/SPEC.md, 5), so their bytes are looked at by check.py. Written after Renode's
sources (1.16.1), not run where this was written.

*** Settings ***
Library         Process
Suite Setup     Setup
Suite Teardown  Teardown
Test Teardown   Test Teardown
Resource        ${RENODEKEYWORDS}

*** Variables ***
${FOLDER}       ${CURDIR}
${OUTPUT_FILE}  ${TEMPDIR}/tinyltc-uart

*** Keywords ***
Create Board
    Execute Command    $folder=@${FOLDER}
    Execute Command    $platform=@${PLATFORM}
    Execute Command    $image=@${IMAGE}
    Execute Command    $vectors=${VECTORS}
    Execute Command    include @${FOLDER}/board.resc
    Execute Command    uart0 CreateFileBackend @${OUTPUT_FILE} true

Check Frames
    [Arguments]    @{words}
    ${result}=     Run Process    ${PYTHON}    ${FOLDER}/check.py    ${OUTPUT_FILE}    @{words}
    Should Be Equal As Integers    ${result.rc}    0    ${result.stderr}

*** Test Cases ***
Board Boots And Says Hello
    Create Board
    Execute Command    imu Feed @${SAMPLES}
    Execute Command    emulation RunFor "0.3"
    Check Frames       hello

Every Sample Is Counted
    Create Board
    Execute Command    imu Feed @${SAMPLES}
    Execute Command    emulation RunFor "2.5"
    Check Frames       hello    counted

A Mute Sensor Is Restarted And Told
    Create Board
    Execute Command    imu Feed @${SAMPLES}
    Execute Command    emulation RunFor "0.6"
    Execute Command    imu Mute true
    Execute Command    emulation RunFor "0.6"
    Execute Command    imu Mute false
    Execute Command    emulation RunFor "1.0"
    Check Frames       hello    mute
