@echo off
rem Starts Day Four on Windows: dayfour COMMAND [OPTIONS]. As ./dayfour does elsewhere: the first start makes a private
rem environment in .venv from requirements.lock, later ones compare a stamp that was written last. No administrator
rem rights are needed. This file must keep its CRLF line ends.
setlocal EnableExtensions DisableDelayedExpansion
set "VENV=%~dp0.venv"
set "PYTHON=%VENV%\Scripts\python.exe"
set "LOCK=%~dp0requirements.lock"
set "LOG=%VENV%\set-up.log"
rem Another program's environment must not reach into ours, and pip must not reach out of it.
set "PYTHONHOME="
set "PYTHONPATH="
set "PIP_PREFIX="
set "PIP_ROOT="
set "PIP_TARGET="
set "PIP_USER="

call :ready
if %ERRORLEVEL%==0 goto start
call :find_python
if not defined BASE goto no_python
call :make_environment
if not %ERRORLEVEL%==0 goto not_made

:start
"%PYTHON%" -I -m experiment %*
exit /b %ERRORLEVEL%

rem Succeeds when the environment is finished, made from this lock and here (its scripts hold the folder's name), and
rem its Python still answers.
:ready
if not exist "%VENV%\stamp" exit /b 1
fc /b "%LOCK%" "%VENV%\stamp" >nul 2>&1
if not %ERRORLEVEL%==0 exit /b 1
set "CHECK=import sys; sys.exit(open(sys.argv[1], encoding='utf-8').read() != sys.argv[2])"
"%PYTHON%" -I -S -c "%CHECK%" "%VENV%\place" "%VENV%" >nul 2>&1
exit /b %ERRORLEVEL%

rem Sets BASE to a command that runs a 64-bit Python 3.10 to 3.12. (The Microsoft Store's stub of a python fails this.)
:find_python
set "BASE="
set "CHECK=import sys, ensurepip, venv; sys.exit(sys.maxsize < 2**32 or not (3, 10) <= sys.version_info[:2] <= (3, 12))"
for %%C in ("py -3.12" "py -3.11" "py -3.10" "python" "python3") do if not defined BASE call :try %%~C
rem On many laboratory computers the only one is that of an installed PsychoPy; it makes our environment and stays as it is.
for %%P in ("%ProgramFiles%\PsychoPy\python.exe" "%LOCALAPPDATA%\Programs\PsychoPy\python.exe") do if not defined BASE if exist %%P call :try %%P
exit /b 0

:try
%* -I -c "%CHECK%" >nul 2>&1
if %ERRORLEVEL%==0 set "BASE=%*"
exit /b 0

rem A folder with an open file in it cannot be renamed, so an update stops here rather than break a running session, and
rem so does a second first start: the log is open as long as the environment is in the making.
:make_environment
echo dayfour: first start here, or an update: making the private environment in .venv; this takes some minutes. 1>&2
if exist "%VENV%.old" rmdir /s /q "%VENV%.old"
if exist "%VENV%" ren "%VENV%" .venv.old
if exist "%VENV%" exit /b 1
if exist "%VENV%.old" rmdir /s /q "%VENV%.old"
mkdir "%VENV%"
if not %ERRORLEVEL%==0 exit /b 1
call :fill >"%LOG%" 2>&1
call :ready
if not %ERRORLEVEL%==0 exit /b 1
echo dayfour: the environment is ready. 1>&2
exit /b 0

rem Plain pip, so that a university's own settings (mirror, proxy, certificates) are honoured. The stamp comes last.
:fill
%BASE% -I -m venv "%VENV%"
if not %ERRORLEVEL%==0 exit /b 1
set "LOCKED=--no-user --no-deps --require-hashes --only-binary :all:"
"%PYTHON%" -I -m pip --disable-pip-version-check install %LOCKED% -r "%LOCK%"
if not %ERRORLEVEL%==0 exit /b 1
>"%VENV%\Lib\site-packages\dayfour.pth" echo ..\..\..
>"%VENV%\Scripts\dayfour.cmd" echo @"%%~dp0..\..\dayfour.cmd" %%*
set "NOTE=import sys; open(sys.argv[1], 'w', encoding='utf-8').write(sys.argv[2])"
"%PYTHON%" -I -S -c "%NOTE%" "%VENV%\place" "%VENV%"
if not %ERRORLEVEL%==0 exit /b 1
copy /b /y "%LOCK%" "%VENV%\stamp"
exit /b %ERRORLEVEL%

:no_python
echo dayfour: PsychoPy 2026.2.5 needs Python 3.10 to 3.12 (64-bit), and none was found. 1>&2
echo   Install Python 3.12 from python.org; "Install just for me" needs no administrator. Then start again. 1>&2
exit /b 4

:not_made
echo dayfour: the environment could not be made in "%VENV%". 1>&2
if exist "%LOG%" powershell -NoProfile -Command "Get-Content -LiteralPath $env:LOG -Tail 8" 1>&2
echo   Close other windows of Day Four, check the network (or the proxy in pip.ini) and the disk (about 4 GB), 1>&2
echo   then start again. The whole report is in "%LOG%". 1>&2
exit /b 4
